namespace Telemetry.Agent.Health;

/// <summary>Reads one signal of health, under Telegraf's names. Called by one thread at a time.</summary>
internal interface IProbe
{
    /// <summary>Names it in the configuration, and in most cases its measurement.</summary>
    string Name { get; }

    /// <summary>Adds what there is now. Nothing: this machine has no such thing, or what is counted needs a second look.</summary>
    /// <exception cref="IOException">The kernel's file can't be read; the other probes go on.</exception>
    /// <exception cref="FormatException">It does not say what it should.</exception>
    void Read(ProbeReading reading);
}
