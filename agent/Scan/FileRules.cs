using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>What a scan of files goes by.</summary>
internal sealed record FileRules(Scope Scope, FileSecrets Secrets)
{
    /// <summary>Filesystems mounted below an included path are entered only when an included path names one.</summary>
    public bool OneFilesystem { get; init; } = true;

    /// <summary>Paths that this machine's own configuration names and the policy leaves out: said, not looked at.</summary>
    public IReadOnlyList<EntryKey> LeftOut { get; init; } = [];

    /// <summary>What to look at of all that is in scope, apart from each other and in key order; null: everything.</summary>
    public IReadOnlyList<LookPart>? Parts { get; init; }

    public LinkedNames Names { get; init; } = new();

    public EnteredFilesystems Filesystems { get; init; } = new();

    /// <summary>Whether files above 64 GiB are read, however long that takes.</summary>
    public bool Wait { get; init; }

    /// <summary>Where the names of very large directories are sorted.</summary>
    public string SpillDirectory { get; init; } = Path.GetTempPath();
}
