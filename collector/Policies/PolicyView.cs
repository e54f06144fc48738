using Telemetry.Collector.Deviations;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Policies;

/// <summary>A policy in a list: the JSON of <c>policies list</c>. Version 0 comes with the product.</summary>
internal sealed record PolicyView(string Name, uint Version, DateTime? CreatedAt, string? SetBy, IReadOnlyList<string> Lines)
{
    public static PolicyView Of(V1.PolicyVersion policy) => new(
        policy.Name, policy.Version, policy.CreatedAt?.ToDateTime(), policy.SetBy.Length == 0 ? null : policy.SetBy, [.. policy.Lines]);
}

/// <summary>A policy with its text: the JSON of <c>policies show</c>.</summary>
internal sealed record PolicyTextView(
    string Name, uint Version, DateTime? CreatedAt, string? SetBy, IReadOnlyList<string> Lines, string Text)
{
    public static PolicyTextView Of(V1.PolicyVersion policy)
    {
        var view = PolicyView.Of(policy);
        return new(view.Name, view.Version, view.CreatedAt, view.SetBy, view.Lines, policy.Text);
    }
}

/// <summary>The JSON of <c>policies set</c>.</summary>
internal sealed record PolicySetView(string Name, uint Version, bool IsNew, IReadOnlyList<string> Lines, IReadOnlyList<string> Instances)
{
    public static PolicySetView Of(V1.SetPolicyResponse response) => new(
        response.Policy.Name, response.Policy.Version, response.IsNew, [.. response.Policy.Lines], [.. response.InstanceIds]);
}

/// <summary>The JSON of <c>policies test</c>.</summary>
internal sealed record PolicyTrialView(
    string Policy,
    string Instance,
    string? Baseline,
    string PolicyInForce,
    IReadOnlyList<PolicyEffectView> Effects,
    IReadOnlyList<ScopeChangeView> AfterScan)
{
    public bool ChangesNothing => Effects.Count == 0 && AfterScan.Count == 0;

    public static PolicyTrialView Of(string instanceId, V1.TestPolicyResponse response) => new(
        response.Name,
        instanceId,
        response.Baseline.Length == 0 ? null : response.Baseline,
        response.PolicyInForce,
        [.. response.Effects.Select(PolicyEffectView.Of)],
        [.. response.AfterScan.Select(change => new ScopeChangeView(change.Part, change.Change, change.Text))]);
}

/// <param name="Effect"><c>opened</c>, <c>changed</c> or <c>closed</c>.</param>
/// <param name="SeverityBefore">Null when it would open.</param>
internal sealed record PolicyEffectView(string Effect, string? SeverityBefore, DeviationView Deviation)
{
    public static PolicyEffectView Of(V1.PolicyEffect effect) => new(
        DeviationView.Word(effect.Transition),
        effect.SeverityBefore == V1.Severity.Unspecified ? null : DeviationView.Word(effect.SeverityBefore),
        DeviationView.Of(effect.Deviation));
}

/// <param name="Change"><c>added</c> or <c>removed</c>.</param>
internal sealed record ScopeChangeView(string Part, string Change, string Text);
