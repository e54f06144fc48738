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
    private const int MaxOutliers = 100;

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
                var message = cause.ToMessage(transaction.Causes.CountsOf(cause.Id), AgreedOf(transaction, cause).OutlyingEntries);
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
            var agreed = AgreedOf(transaction, cause);
            var response = new GetCauseResponse { Cause = cause.ToMessage(transaction.Causes.CountsOf(cause.Id), agreed.OutlyingEntries) };
            response.InstanceIds.AddRange(transaction.Causes.InstancesOf(cause.Id, MaxInstancesOfCause));
            response.Examples.AddRange(transaction.Deviations.Page(new DeviationFilter(CauseId: cause.Id), long.MaxValue, MaxExamples).Select(messages.Of));
            response.Outliers.AddRange(ToMessages(messages, agreed.Outliers));
            return response;
        }));

    private static Agreed AgreedOf(StoreTransaction transaction, Cause cause) =>
        Agreed.Of(transaction.Deviations.OpenOfCause(cause.Id), transaction.Causes.AgreementOf(cause));

    private static IEnumerable<Protocol.V1.Outlier> ToMessages(DeviationMessages messages, IEnumerable<Causes.Outlier> outliers) =>
        outliers.Take(MaxOutliers).Select(outlier => new Protocol.V1.Outlier { Deviation = messages.Of(outlier.Deviation), Reason = outlier.Reason });

    /// <returns>Null when none is asked for.</returns>
    private static Cause? CauseOf(StoreTransaction transaction, string id) =>
        id.Length == 0 ? null
        : Cause.ParseId(id) is { } number && transaction.Causes.Find(number) is { } cause ? cause
        : throw NoCause(id);

    private static RpcException NoCause(string id) =>
        NotFound($"There is no cause '{id}'; 'telemetryctl causes list' shows those there are.");
}
