namespace Telemetry.Collector.Policies;

/// <summary>A policy is asked for by a name that none has.</summary>
internal sealed class UnknownPolicyException(string name)
    : Exception($"There is no policy '{name}'; 'telemetryctl policies list' shows those there are.");

/// <summary>An instance is asked for by what none is called, or several are; the message says what there is.</summary>
internal sealed class UnknownInstanceException(string message) : Exception(message);
