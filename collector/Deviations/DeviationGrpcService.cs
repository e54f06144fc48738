using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Grpc.Core;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;
using Instance = Telemetry.Collector.Fleet.Instance;

namespace Telemetry.Collector.Deviations;

/// <summary>Deviations and their causes, listed and followed, and decisions about them.</summary>
internal sealed partial class DeviationGrpcService(
    StateStore store, DeviationFeed feed, DecisionRegistry decisions, IHostApplicationLifetime lifetime)
    : DeviationService.DeviationServiceBase
{
    private const int DefaultPageSize = 500;
    private const int MaxPageSize = 5_000;

    /// <summary>Clients take messages of 4 MiB by default.</summary>
    private const int MaxPageBytes = 2 * 1024 * 1024;

    public override Task<ListDeviationsResponse> ListDeviations(ListDeviationsRequest request, ServerCallContext context)
    {
        var limit = LimitOf(request.PageSize);
        var below = request.PageToken.Length == 0 ? long.MaxValue : ParseToken(request.PageToken, "page_token");
        DeviationState? state = request.State == Protocol.V1.DeviationState.Unspecified ? null : (DeviationState)request.State;
        return Task.FromResult(store.Read(transaction =>
        {
            var filter = new DeviationFilter(
                InstanceOf(transaction, request.InstanceId), state, CauseOf(transaction, request.CauseId)?.Id,
                LayerOf(transaction, request.Layer), OwnerOf(transaction, request.Owner));
            var page = transaction.Deviations.Page(filter, below, limit);
            var response = new ListDeviationsResponse();
            var messages = new DeviationMessages(transaction);
            var bytes = 0;
            foreach (var deviation in page)
            {
                var message = messages.Of(deviation);
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
                ? ToMessage(transaction, deviation)
                : throw NoDeviation(request.Id)));

    public override async Task WatchDeviations(
        WatchDeviationsRequest request, IServerStreamWriter<WatchDeviationsResponse> responses, ServerCallContext context)
    {
        var (owner, instance) = store.Read(transaction => (OwnerOf(transaction, request.Owner), InstanceOf(transaction, request.InstanceId)));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        var last = feed.Last();
        var position = request.Cursor.Length == 0 ? last : ParseToken(request.Cursor, "cursor");
        if (position > last || store.Read(transaction => transaction.Collector.IsOfLostStore(position)))
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The cursor is ahead of this collector, which was started anew or from an older copy; leave it out, and list what is open."));
        if (position < store.Read(transaction => transaction.Events.Forgotten()))
            throw new ForgottenEventsException();

        // Sent at once: whoever reads it knows that nothing from here on is missed.
        await responses.WriteAsync(new WatchDeviationsResponse { Cursor = FormatToken(position) }, ending.Token);
        await foreach (var stored in feed.FollowAsync(position, ending.Token))
        {
            if (stored.IsContested)
                continue;
            var deviation = Protocol.V1.Deviation.Parser.ParseFrom(stored.Body);
            if ((owner is not null && deviation.Owner != owner) || (instance is not null && deviation.InstanceId != instance))
                continue;

            await responses.WriteAsync(
                new WatchDeviationsResponse
                {
                    Cursor = FormatToken(stored.Position),
                    Transition = (Protocol.V1.Transition)stored.Kind,
                    At = stored.At.ToTimestamp(),
                    Deviation = deviation,
                },
                ending.Token);
        }

        if (lifetime.ApplicationStopping.IsCancellationRequested)
            throw new RpcException(new Status(StatusCode.Unavailable, "The collector is stopping; resume from the last cursor."));
    }

    private static GetDeviationResponse ToMessage(StoreTransaction transaction, Deviation deviation)
    {
        var messages = new DeviationMessages(transaction);
        var response = new GetDeviationResponse { Deviation = messages.Of(deviation) };
        response.Decisions.AddRange(transaction.Decisions.OfEntry(deviation.InstanceId, deviation.Kind, deviation.Key).Select(messages.Of));
        if (deviation.IsOpen)
        {
            var package = transaction.Causes.PackageOf(deviation.Kind, deviation.Key);
            var root = transaction.Instances.Find(deviation.InstanceId)?.Root ?? Instance.WholeMachine;
            response.Reversal.AddRange(Reversal.Of(deviation.Kind, deviation.Key, deviation.Expected.Decoded(), deviation.Actual.Decoded(), package, root));
        }

        return response;
    }

    private static RpcException NoDeviation(string id) =>
        NotFound($"There is no deviation '{id}'; 'telemetryctl deviations list' shows those there are.");

    private static int LimitOf(uint pageSize) => pageSize == 0 ? DefaultPageSize : (int)Math.Min(pageSize, MaxPageSize);

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
