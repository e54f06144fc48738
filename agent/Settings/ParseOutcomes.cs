using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Settings;

/// <summary>
/// What became of each file when it was parsed last, as long as the agent runs: a file that does not change is not parsed again,
/// nor one that holds no setting or can't be parsed.
/// </summary>
internal sealed class ParseOutcomes
{
    // Somebody may install what is missing; starting a helper in vain costs some milliseconds each time.
    private static readonly TimeSpan MissingFor = TimeSpan.FromMinutes(1);

    private readonly Dictionary<EntryKey, ParseOutcome> _byFile = [];
    private string? _missing;
    private DateTimeOffset _missingUntil;

    public ParseOutcome? Find(EntryKey file, FileStamp stamp) =>
        _byFile.TryGetValue(file, out var outcome) && !stamp.IsNone && outcome.Stamp == stamp ? outcome : null;

    public void Remember(EntryKey file, ParseOutcome outcome) => _byFile[file] = outcome;

    /// <summary>It is parsed again whatever its stamp proves.</summary>
    public void Forget(EntryKey file) => _byFile.Remove(file);

    /// <summary>Forgets files that are no more.</summary>
    public void Keep(IReadOnlySet<EntryKey> files)
    {
        foreach (var file in _byFile.Keys.Where(file => !files.Contains(file)).ToList())
            _byFile.Remove(file);
    }

    /// <summary>Why nothing can be parsed at present, or null.</summary>
    public string? Missing(DateTimeOffset now) => now < _missingUntil ? _missing : null;

    public void SetMissing(string reason, DateTimeOffset now)
    {
        _missing = reason;
        _missingUntil = now + MissingFor;
    }
}

/// <param name="Stamp">Of the file, and of how it was parsed.</param>
/// <param name="Count">Settings it gave.</param>
/// <param name="First">The key of the first one.</param>
/// <param name="Trouble">Why it gave none; null: it was parsed.</param>
/// <param name="IsRefused">The trouble is with what the file holds.</param>
internal sealed record ParseOutcome(FileStamp Stamp, int Count, EntryKey First, string? Trouble, bool IsRefused);
