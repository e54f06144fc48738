using Grpc.Core;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Identity;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Policies;

/// <summary>Policies, shown, tested and set by people.</summary>
internal sealed class PolicyGrpcService(StateStore store, PolicyBook policies, PolicyRegistry registry) : PolicyService.PolicyServiceBase
{
    private const int MaxSourceLength = 200;

    public override Task<ListPoliciesResponse> ListPolicies(ListPoliciesRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var response = new ListPoliciesResponse();
            response.Policies.AddRange(policies.All(transaction).Select(policy => ToMessage(transaction, policy)));
            return response;
        }));

    public override Task<GetPolicyResponse> GetPolicy(GetPolicyRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction => policies.Find(transaction, request.Name) is { } policy
            ? new GetPolicyResponse { Policy = ToMessage(transaction, policy) }
            : throw new UnknownPolicyException(request.Name)));

    public override Task<SetPolicyResponse> SetPolicy(SetPolicyRequest request, ServerCallContext context)
    {
        var set = registry.Set(request.Text, Source(request.Source), AdminToken.Holder);
        var response = new SetPolicyResponse
        {
            Policy = store.Read(transaction => ToMessage(transaction, set.Policy)),
            IsNew = set.IsNew,
        };
        response.InstanceIds.AddRange(set.Judged);
        return Task.FromResult(response);
    }

    public override Task<TestPolicyResponse> TestPolicy(TestPolicyRequest request, ServerCallContext context)
    {
        var trial = registry.Test(request.Text, Source(request.Source), request.InstanceId);
        var response = new TestPolicyResponse
        {
            Name = trial.Policy,
            PolicyInForce = trial.InForce,
            Baseline = trial.Baseline?.ToString() ?? "",
        };
        response.Effects.AddRange(store.Read(transaction => trial.Effects.Select(effect => ToMessage(transaction, effect)).ToList()));
        response.AfterScan.AddRange(trial.Widened.Select(change => new Protocol.V1.ScopeChange
        {
            Part = change.Part,
            Change = change.IsAdded ? "added" : "removed",
            Text = change.Text,
        }));
        return Task.FromResult(response);
    }

    private static Protocol.V1.PolicyVersion ToMessage(StoreTransaction transaction, PolicyVersion policy)
    {
        var message = new Protocol.V1.PolicyVersion
        {
            Name = policy.Name,
            Version = (uint)policy.Version,
            Text = policy.Text,
            CreatedAt = policy.CreatedAt?.ToTimestamp(),
            SetBy = policy.SetBy,
        };
        message.Lines.AddRange(transaction.Baselines.All()
            .Select(baseline => baseline.Name.Line)
            .Distinct()
            .Where(line => transaction.Policies.OfLine(line) == policy.Name));
        return message;
    }

    private static Protocol.V1.PolicyEffect ToMessage(StoreTransaction transaction, PolicyEffect effect)
    {
        var deviation = effect.Transition.Deviation;
        var message = new DeviationMessages(transaction).Of(deviation);
        if (deviation.Id == 0)
            message.Id = "";
        return new Protocol.V1.PolicyEffect
        {
            Transition = (Protocol.V1.Transition)effect.Transition.Kind,
            Deviation = message,
            SeverityBefore = (Protocol.V1.Severity?)effect.SeverityBefore ?? Protocol.V1.Severity.Unspecified,
        };
    }

    /// <summary>A caller's name for its text is repeated to it: kept short, and free of what no terminal should get.</summary>
    private static string Source(string source) =>
        source.Length is 0 or > MaxSourceLength || !Protocol.Model.EscapedText.IsPlain(source) ? "policy" : source;
}
