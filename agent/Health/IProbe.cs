namespace Telemetry.Agent.Health;

/// <summary>Reads one signal of health, under Telegraf's names.</summary>
internal interface IProbe
{
    /// <summary>The measurement it makes.</summary>
    string Name { get; }

    /// <exception cref="IOException">The kernel's file can't be read; the other probes go on.</exception>
    /// <exception cref="FormatException">It does not say what it should.</exception>
    IReadOnlyList<HealthPoint> Read();
}
