namespace Telemetry.Agent.Watch.Who;

/// <summary>A process, as far as it could be told at the moment its event was read. All texts are escaped.</summary>
/// <param name="Pid">In the agent's namespace; 0: the kernel told none.</param>
internal sealed record Actor(int Pid)
{
    /// <summary>As of reading, perhaps with <c> (deleted)</c> behind it; empty when unknown.</summary>
    public string Executable { get; init; } = "";

    /// <summary>That <see cref="Executable"/> is the program that made the change: see <see cref="ActorReader.Settled(SeenActor)"/>.</summary>
    public bool IsCertain { get; init; }

    /// <summary>It was gone before it could be read: then nothing but the pid is known.</summary>
    public bool HasExited { get; init; }

    /// <summary>Secrets masked, cut at <see cref="CommandLineText.MaxLength"/>.</summary>
    public IReadOnlyList<string> CommandLine { get; init; } = [];

    /// <summary>The effective user; null when unknown.</summary>
    public uint? Uid { get; init; }

    /// <summary>Empty when the user has no name.</summary>
    public string User { get; init; } = "";

    /// <summary>Whoever logged in: it stays through su and sudo. Null when nobody did.</summary>
    public uint? LoginUid { get; init; }

    public string LoginUser { get; init; } = "";

    public int ParentPid { get; init; }

    public string ParentExecutable { get; init; } = "";

    /// <summary>systemd unit or container; empty when it is in none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Clock ticks since the machine's start: with the pid it names a process for good. 0 when unknown.</summary>
    public ulong Started { get; init; }
}
