using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Grpc.Core;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Deviations;

/// <summary>Deviations, listed and followed.</summary>
internal sealed class DeviationGrpcService(StateStore store, DeviationFeed feed, IHostApplicationLifetime lifetime)
    : DeviationService.DeviationServiceBase
{
    private const int DefaultPageSize = 500;
    private const int MaxPageSize = 5_000;

    /// <summary>Clients take messages of 4 MiB by default.</summary>
    private const int MaxPageBytes = 2 * 1024 * 1024;

    public override Task<ListDeviationsResponse> ListDeviations(ListDeviationsRequest request, ServerCallContext context)
    {
        var limit = request.PageSize == 0 ? DefaultPageSize : (int)Math.Min(request.PageSize, MaxPageSize);
        var below = request.PageToken.Length == 0 ? long.MaxValue : ParseToken(request.PageToken, "page_token");
        DeviationState? state = request.State == Protocol.V1.DeviationState.Unspecified ? null : (DeviationState)request.State;
        return Task.FromResult(store.Read(transaction =>
        {
            var instanceId = request.InstanceId.Length == 0 ? null : request.InstanceId;
            if (instanceId is not null && transaction.Instances.Find(instanceId) is null)
                throw NotFound($"There is no instance '{instanceId}'; 'telemetryctl instances list' shows those there are.");

            var page = transaction.Deviations.Page(instanceId, state, below, limit);
            var response = new ListDeviationsResponse();
            var bytes = 0;
            foreach (var deviation in page)
            {
                var message = ToMessage(transaction, deviation);
                bytes += message.CalculateSize();
                response.Deviations.Add(message);
                if (bytes < MaxPageBytes)
                    continue;

                // Long keys, escaped, make big messages: the rest is another page.
                response.NextPageToken = FormatToken(deviation.Id);
                return response;
            }

            response.NextPageToken = page.Count < limit ? "" : FormatToken(page[^1].Id);
            return response;
        }));
    }

    public override Task<GetDeviationResponse> GetDeviation(GetDeviationRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
            Deviation.ParseId(request.Id) is { } id && transaction.Deviations.Find(id) is { } deviation
                ? new GetDeviationResponse { Deviation = ToMessage(transaction, deviation) }
                : throw NotFound($"There is no deviation '{request.Id}'; 'telemetryctl deviations list' shows those there are.")));

    public override async Task WatchDeviations(
        WatchDeviationsRequest request, IServerStreamWriter<WatchDeviationsResponse> responses, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        var last = feed.Last();
        var position = request.Cursor.Length == 0 ? last : ParseToken(request.Cursor, "cursor");
        if (position > last)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The cursor is ahead of this collector, which was started anew or from an older copy; leave it out, and list what is open."));

        // Sent at once: whoever reads it knows that nothing from here on is missed.
        await responses.WriteAsync(new WatchDeviationsResponse { Cursor = FormatToken(position) }, ending.Token);
        await foreach (var stored in feed.FollowAsync(position, ending.Token))
        {
            await responses.WriteAsync(
                new WatchDeviationsResponse
                {
                    Cursor = FormatToken(stored.Position),
                    Transition = (Protocol.V1.Transition)stored.Kind,
                    At = stored.At.ToTimestamp(),
                    Deviation = Protocol.V1.Deviation.Parser.ParseFrom(stored.Body),
                },
                ending.Token);
        }

        if (lifetime.ApplicationStopping.IsCancellationRequested)
            throw new RpcException(new Status(StatusCode.Unavailable, "The collector is stopping; resume from the last cursor."));
    }

    private static Protocol.V1.Deviation ToMessage(StoreTransaction transaction, Deviation deviation) =>
        deviation.ToMessage(transaction.Baselines.NameOf(deviation.BaselineId));

    // Opaque, so that what it means may change; a client only hands it back.
    private static string FormatToken(long position) =>
        Base64Url.EncodeToString(Encoding.ASCII.GetBytes(position.ToString(CultureInfo.InvariantCulture)));

    private static long ParseToken(string token, string field)
    {
        var bytes = new byte[32];
        return token.Length <= bytes.Length
            && Base64Url.IsValid(token)
            && Base64Url.TryDecodeFromChars(token, bytes, out var length)
            && long.TryParse(Encoding.ASCII.GetString(bytes, 0, length), NumberStyles.None, CultureInfo.InvariantCulture, out var position)
                ? position
                : throw new RpcException(new Status(StatusCode.InvalidArgument, $"The {field} is not one this collector gave; leave it out to start anew."));
    }

    private static RpcException NotFound(string message) => new(new Status(StatusCode.NotFound, message));
}
