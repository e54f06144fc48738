namespace Telemetry.Collector.Causes;

/// <summary>The process that made a change, as far as its agent could tell. Its texts can be shown.</summary>
internal sealed record Actor
{
    /// <summary>In the agent's namespace; 0: not told.</summary>
    public int Pid { get; init; }

    /// <summary>Path of the program as of reading; empty: unknown.</summary>
    public string Executable { get; init; } = "";

    /// <summary>False: the process has run another program since, or is gone.</summary>
    public bool IsCertain { get; init; }

    /// <summary>It was gone before it could be read.</summary>
    public bool HasExited { get; init; }

    /// <summary>Secrets are masked by the agent.</summary>
    public IReadOnlyList<string> CommandLine { get; init; } = [];

    /// <summary>Null: unknown.</summary>
    public uint? Uid { get; init; }

    public string User { get; init; } = "";

    /// <summary>Whoever logged in, through su and sudo; null: nobody did.</summary>
    public uint? LoginUid { get; init; }

    public string LoginUser { get; init; } = "";

    public int ParentPid { get; init; }

    public string ParentExecutable { get; init; } = "";

    /// <summary>Systemd unit or container; empty: none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Whether it says anything that another process would not say too.</summary>
    public bool IsKnown => Executable.Length > 0 || Uid is not null || LoginUid is not null || Unit.Length > 0;
}
