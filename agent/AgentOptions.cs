using Telemetry.Agent.Health;
using Telemetry.Agent.Identity;
using Telemetry.Agent.Scan;

namespace Telemetry.Agent;

/// <summary>The agent's configuration; each stage has its own part.</summary>
internal sealed record AgentOptions
{
    public const string DefaultFile = "/etc/telemetry/agent.toml";

    /// <summary>Where reports go. Null: nowhere, the agent only keeps its state.</summary>
    public Uri? Collector { get; init; }

    /// <summary>What is looked at: <c>/</c>, or a mounted image.</summary>
    public string Root { get; init; } = "/";

    public string StateDirectory { get; init; } = "/var/lib/telemetry-agent";

    public InstanceOptions Instance { get; init; } = new();

    public WatchOptions Watch { get; init; } = new();

    public ScanOptions Scan { get; init; } = new();

    public HealthOptions Health { get; init; } = new();
}
