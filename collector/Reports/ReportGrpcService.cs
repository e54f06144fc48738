using Grpc.Core;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;
using Severity = Telemetry.Protocol.Model.Severity;

namespace Telemetry.Collector.Reports;

/// <summary>What was measured of instances, for people and programs.</summary>
internal sealed class ReportGrpcService(StateStore store, ConnectedAgents agents, TimeSeriesReport timeSeries, ISeriesReader series, TimeProvider time) : ReportService.ReportServiceBase
{
    public override Task<ListAvailabilityResponse> ListAvailability(ListAvailabilityRequest request, ServerCallContext context)
    {
        var now = time.GetUtcNow();
        var (from, to) = Times(request.From, request.To);
        to = to < now ? to : now;
        var presence = store.Read(transaction =>
        {
            var id = InstanceName.Find(transaction, request.InstanceId).Id;
            return transaction.Presence.Of(id, from, to, now, agents.LastSeen(id));
        });

        var response = new ListAvailabilityResponse();
        if (from < to)
        {
            response.Intervals.AddRange(presence.Between(from, to).Select(interval => new Protocol.V1.AvailabilityInterval
            {
                State = ToMessage(interval.State),
                From = interval.Interval.From.ToTimestamp(),
                To = interval.Interval.To.ToTimestamp(),
            }));
        }

        return Task.FromResult(response);
    }

    public override Task<ListDriftResponse> ListDrift(ListDriftRequest request, ServerCallContext context)
    {
        var now = time.GetUtcNow();
        var (from, to) = Times(request.From, request.To);
        to = to < now ? to : now;
        var episodes = store.Read(transaction =>
        {
            var id = InstanceName.Find(transaction, request.InstanceId).Id;
            from = transaction.Instances.FirstSeen(id) is var first && from < first ? first : from;
            return transaction.Deviations.Between(id, from, to);
        });

        var response = new ListDriftResponse();
        if (from <= to)
            response.Points.AddRange(DriftTimeline.Of(episodes, from, to, Step(request.Step, to - from)).Select(ToMessage));
        return Task.FromResult(response);
    }

    public override async Task<ListSeriesResponse> ListSeries(ListSeriesRequest request, ServerCallContext context) =>
        (await series.QueryAsync(request.ToQuery(), context.CancellationToken)).ToMessage();

    public override Task<ListPointAccountsResponse> ListPointAccounts(ListPointAccountsRequest request, ServerCallContext context)
    {
        var (from, to) = Times(request.From, request.To);
        var response = new ListPointAccountsResponse();
        response.Accounts.AddRange(store.Read(transaction =>
                transaction.PointAccounts.Of(request.InstanceId.Length == 0 ? null : InstanceName.Find(transaction, request.InstanceId).Id, from, to))
            .Select(ToMessage));
        return Task.FromResult(response);
    }

    public override Task<GetTimeSeriesStatusResponse> GetTimeSeriesStatus(GetTimeSeriesStatusRequest request, ServerCallContext context) =>
        Task.FromResult(timeSeries.Get());

    private static (DateTimeOffset From, DateTimeOffset To) Times(Google.Protobuf.WellKnownTypes.Timestamp? from, Google.Protobuf.WellKnownTypes.Timestamp? to)
    {
        var (begin, end) = (from.ToTime("from"), to.ToTime("to"));
        return begin <= end
            ? (begin, end)
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"The time asked for ends at {end:yyyy-MM-dd HH:mm:ss}Z, before it begins at {begin:yyyy-MM-dd HH:mm:ss}Z; set --since to an earlier time, or --until to a later one."));
    }

    private static TimeSpan Step(Google.Protobuf.WellKnownTypes.Duration? asked, TimeSpan time)
    {
        if (asked is null)
            return DriftTimeline.StepOf(time);
        if (asked.Seconds is < 1 or > 1_000_000_000)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "A step is one second at least, and no longer than some years."));

        var step = asked.ToTimeSpan();
        return time / step < DriftTimeline.MaxPoints
            ? step
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"That would be more than {DriftTimeline.MaxPoints} points; choose a longer step or a shorter time."));
    }

    private static Protocol.V1.DriftPoint ToMessage(Deviations.DriftPoint point) => new()
    {
        At = point.At.ToTimestamp(),
        Critical = (uint)point.Open.GetValueOrDefault(Severity.Critical),
        High = (uint)point.Open.GetValueOrDefault(Severity.High),
        Medium = (uint)point.Open.GetValueOrDefault(Severity.Medium),
        Low = (uint)point.Open.GetValueOrDefault(Severity.Low),
        Info = (uint)point.Open.GetValueOrDefault(Severity.Info),
    };

    private static Protocol.V1.PointAccount ToMessage(TimeSeries.PointAccount account)
    {
        var message = new Protocol.V1.PointAccount
        {
            InstanceId = account.InstanceId,
            Hour = account.Hour.ToTimestamp(),
            Collected = (ulong)account.Counts.Collected,
            Stored = (ulong)account.Stored,
            Rejected = (ulong)account.Counts.Rejected,
            LostFull = (ulong)account.Counts.LostFull,
            LostDamaged = (ulong)account.Counts.LostDamaged,
            Dropped = (ulong)account.Counts.Dropped,
            Waiting = (ulong)account.Waiting,
            Missing = (ulong)account.Missing,
            MissingBatches = (ulong)account.MissingBatches,
        };
        message.Rejections.AddRange(account.Rejections.Select(rejection => new Rejection { Reason = (Protocol.V1.RejectionReason)rejection.Reason, Points = (ulong)rejection.Points }));
        return message;
    }

    private static Protocol.V1.Availability ToMessage(Fleet.Availability state) => state switch
    {
        Fleet.Availability.Up => Protocol.V1.Availability.Up,
        Fleet.Availability.Down => Protocol.V1.Availability.Down,
        _ => Protocol.V1.Availability.Unknown,
    };
}
