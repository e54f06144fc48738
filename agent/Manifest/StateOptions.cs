using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Manifest;

/// <summary>What the agent does when its state directory can't be used: <c>[state]</c>.</summary>
internal sealed record StateOptions
{
    /// <summary>From when the state directory failed, and the agent went on from memory, to when it is tried again.</summary>
    public required TimeSpan ReturnAfter { get; init; }

    public static StateOptions Read(SettingsSection settings) => new()
    {
        ReturnAfter = settings.Duration("return_after", TimeSpan.FromMinutes(10), least: TimeSpan.FromSeconds(1)),
    };
}
