using Grpc.Core;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.V1;
using Cause = Telemetry.Collector.Causes.Cause;

namespace Telemetry.Collector.Deviations;

/// <summary>Causes, listed and shown.</summary>
internal sealed partial class DeviationGrpcService
{
    private const int MaxInstancesOfCause = 1_000;
    private const int MaxExamples = 10;

    public override Task<ListCausesResponse> ListCauses(ListCausesRequest request, ServerCallContext context)
    {
        var limit = LimitOf(request.PageSize);
        var below = request.PageToken.Length == 0 ? long.MaxValue : ParseToken(request.PageToken, "page_token");
        return Task.FromResult(store.Read(transaction =>
        {
            var page = transaction.Causes.Page(InstanceOf(transaction, request.InstanceId), below, limit);
            var response = new ListCausesResponse();
            var bytes = 0;
            foreach (var cause in page)
            {
                var message = cause.ToMessage(transaction.Causes.CountsOf(cause.Id));
                bytes += message.CalculateSize();
                response.Causes.Add(message);
                if (bytes < MaxPageBytes)
                    continue;

                // Transactions of many packages make big messages: the rest is another page.
                response.NextPageToken = FormatToken(cause.Id);
                return response;
            }

            response.NextPageToken = page.Count < limit ? "" : FormatToken(page[^1].Id);
            return response;
        }));
    }

    public override Task<GetCauseResponse> GetCause(GetCauseRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var cause = CauseOf(transaction, request.Id) ?? throw NoCause(request.Id);
            var messages = new DeviationMessages(transaction);
            var response = new GetCauseResponse { Cause = cause.ToMessage(transaction.Causes.CountsOf(cause.Id)) };
            response.InstanceIds.AddRange(transaction.Causes.InstancesOf(cause.Id, MaxInstancesOfCause));
            response.Examples.AddRange(transaction.Deviations.Page(new DeviationFilter(CauseId: cause.Id), long.MaxValue, MaxExamples).Select(messages.Of));
            return response;
        }));

    /// <returns>Null when none is asked for.</returns>
    private static Cause? CauseOf(StoreTransaction transaction, string id) =>
        id.Length == 0 ? null
        : Cause.ParseId(id) is { } number && transaction.Causes.Find(number) is { } cause ? cause
        : throw NoCause(id);

    private static RpcException NoCause(string id) =>
        NotFound($"There is no cause '{id}'; 'telemetryctl causes list' shows those there are.");
}
