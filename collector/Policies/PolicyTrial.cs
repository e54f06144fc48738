using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Policies;

/// <summary>What a policy would do to an instance.</summary>
/// <param name="Policy">Name of the tested policy.</param>
/// <param name="InForce">Name of the policy the instance goes by now.</param>
/// <param name="Baseline">What judges the instance; null: nothing, and nothing can open.</param>
/// <param name="Effects">At once, on what the instance reported last.</param>
/// <param name="Widened">What would only be known after the agent has looked again.</param>
internal sealed record PolicyTrial(
    string Policy, string InForce, VersionName? Baseline, IReadOnlyList<PolicyEffect> Effects, IReadOnlyList<ScopeChange> Widened);

/// <summary>What a policy would do to one deviation.</summary>
/// <param name="SeverityBefore">Null when it would open.</param>
internal sealed record PolicyEffect(Transition Transition, Severity? SeverityBefore);
