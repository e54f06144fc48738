using System.Security.Cryptography;
using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Settings;

/// <summary>The settings in the files that a policy lists and this machine's own configuration allows to parse.</summary>
/// <remarks>
/// Entries carry the stamp of their file, mixed with how it was parsed: where it is the same as last time, and so was the outcome,
/// they are taken over. Files are parsed some at a time, so what is in memory does not grow with their number.
/// </remarks>
/// <param name="outcomes">Lives longer than one scan.</param>
internal sealed class SettingScanner(
    string root,
    Policy policy,
    Scope scope,
    FleetKey key,
    ParseOutcomes outcomes,
    SettingsParser parser,
    TimeProvider clock) : IScanner
{
    private const int MaxSettings = 20_000;

    // Of contents and files that are in memory and given to a helper at once.
    private const int MaxBatchBytes = 1024 * 1024;
    private const int MaxBatchFiles = 64;

    // Raised when a format's keys or values come out differently.
    private const int MappingVersion = 3;

    // A file that is not reached in one look is parsed in a later one.
    private static readonly TimeSpan MostParsing = TimeSpan.FromSeconds(60);

    private TimeSpan _parsing;

    public PolicyLimits Limits { get; init; } = PolicyLimits.None;

    /// <summary>How long one look may parse files. What remains is told as not covered, and parsed in the next.</summary>
    public TimeSpan Budget { get; init; } = MostParsing;

    /// <summary>Files to parse whatever their stamps prove.</summary>
    public IReadOnlyList<EntryKey> Dirty { get; init; } = [];

    /// <summary>Whether the scope is only a part of what there is to parse.</summary>
    public bool IsPart { get; init; }

    public Scanner Identity { get; } = new(EntryKind.Setting, "setting", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        // The scanner of files tells when the root can't be opened.
        if (OpenFile.Root([.. Encoding.UTF8.GetBytes(root), 0], out var directory) != 0)
            return false;

        try
        {
            var files = new SettingsFileFinder(policy, scope, pass, cancellation).Find(directory);
            foreach (var file in Dirty)
                outcomes.Forget(file);
            if (!IsPart)
                outcomes.Keep(files.Select(file => file.Key).ToHashSet());
            var batch = new List<Work>();
            var bytes = 0;
            foreach (var file in files)
            {
                var work = Look(directory, file, cancellation);
                batch.Add(work);
                bytes += work.Content?.Length ?? 0;
                if (bytes < MaxBatchBytes && batch.Count < MaxBatchFiles)
                    continue;
                Finish(directory, batch, pass, cancellation);
                batch.Clear();
                bytes = 0;
            }

            Finish(directory, batch, pass, cancellation);
        }
        finally
        {
            OpenFile.Close(directory);
        }

        return true;
    }

    /// <summary>Whether there is something to parse, and what.</summary>
    private Work Look(int directory, FoundFile file, CancellationToken cancellation)
    {
        if (!Limits.MayParse(file.Key, file.Format.Name))
            return new Work(file) { Trouble = $"this machine's own configuration does not allow to parse it as {file.Format.Name} (settings.allow, policy.secret)" };

        var content = SettingsFileContent.Read(directory, file.Key, StampIsKnown, clock, cancellation);
        var stamp = content.Stamp.IsNone ? content.Stamp : content.Stamp.Mixed(MarkOf(file));
        if (content.Trouble is not null)
            outcomes.Remember(file.Key, new ParseOutcome(stamp, 0, EntryKey.Root, content.Trouble));
        return new Work(file)
        {
            Stamp = stamp,
            Content = content.Bytes,
            Trouble = content.Trouble,
            Known = outcomes.Find(file.Key, stamp),
        };

        bool StampIsKnown(FileStamp seen) => outcomes.Find(file.Key, seen.Mixed(MarkOf(file))) is not null;
    }

    /// <summary>Parses what is new among them and hands out everything, in order.</summary>
    private void Finish(int directory, List<Work> batch, ScanPass pass, CancellationToken cancellation)
    {
        Parse([.. batch.Where(work => work.Content is not null)], pass, cancellation);
        foreach (var work in batch)
        {
            if (work.Known is { Trouble: null, Count: > 0 } && !TryTakeOver(work, pass))
                ParseAfterAll(directory, work, pass, cancellation);

            if ((work.Trouble ?? work.Known?.Trouble) is { } trouble)
                pass.Gap(new EntryKey(work.File.Path), trouble);
            foreach (var (entryKey, fingerprint) in work.Entries)
                pass.Entry(entryKey.Bytes, fingerprint, work.Stamp);
            work.Entries = [];
        }
    }

    /// <summary>The outcome is known, but the state that had its entries is gone.</summary>
    private void ParseAfterAll(int directory, Work work, ScanPass pass, CancellationToken cancellation)
    {
        var content = SettingsFileContent.Read(directory, work.File.Key, _ => false, clock, cancellation);
        work.Known = null;
        work.Content = content.Bytes;
        work.Trouble = content.Trouble;
        work.Stamp = content.Stamp.IsNone ? content.Stamp : content.Stamp.Mixed(MarkOf(work.File));
        if (work.Content is not null)
            Parse([work], pass, cancellation);
    }

    private void Parse(IReadOnlyList<Work> changed, ScanPass pass, CancellationToken cancellation)
    {
        if (changed.Count == 0)
            return;

        if (outcomes.Missing(clock.GetUtcNow()) is { } missing)
        {
            pass.Gap(EntryKey.Root, missing);
            return;
        }

        try
        {
            var started = clock.GetTimestamp();
            var answers = parser.Parse(
                [.. changed.Select(work => RequestFor(work.File, work.Content!))], () => _parsing + clock.GetElapsedTime(started) < Budget, cancellation);
            _parsing += clock.GetElapsedTime(started);
            for (var i = 0; i < changed.Count; i++)
                Take(changed[i], answers[i]);
        }
        catch (ParserMissingException)
        {
            GiveUp("settings are not parsed: install libaugeas0 and augeas-lenses (elsewhere: augeas-libs)");
        }
        catch (ParserFailedException e)
        {
            GiveUp("settings are not parsed: " + e.Message);
        }

        void GiveUp(string reason)
        {
            outcomes.SetMissing(reason, clock.GetUtcNow());
            pass.Gap(EntryKey.Root, reason);
        }
    }

    private static ParseRequest RequestFor(FoundFile file, byte[] content)
    {
        var prepared = file.Format.Prepare(content);
        return new ParseRequest(file.Format.LensFor(file.Path), prepared is [.., (byte)'\n'] ? prepared : [.. prepared, (byte)'\n']);
    }

    private void Take(Work work, ParseAnswer answer)
    {
        work.Content = null;
        work.Trouble = answer.Trouble is { } trouble ? $"{trouble} ({work.File.Format.Name})" : null;
        if (answer.Tree is not null)
        {
            var entries = new FileSettings(work.File.Path, work.File.Format, IsSecret(work.File.Key), key);
            var settings = new SettingList(entries.Shorten);
            work.File.Format.Read(answer.Tree, settings);
            work.Entries = entries.Entries(settings);
            if (work.Entries.Count > MaxSettings)
            {
                work.Entries = [];
                work.Trouble = $"it holds more than {MaxSettings} settings";
            }
        }

        if (answer == ParseAnswer.Postponed)
            outcomes.Forget(work.File.Key);
        else
            outcomes.Remember(work.File.Key, new ParseOutcome(work.Stamp, work.Entries.Count, work.Entries.Count > 0 ? work.Entries[0].Key : EntryKey.Root, work.Trouble));
    }

    /// <returns>False when the state does not hold all of them.</returns>
    private static bool TryTakeOver(Work work, ScanPass pass)
    {
        var known = work.Known!;
        if (pass.Previous is not { } previous || !previous.TryFind(known.First.Bytes))
            return false;

        var entries = new List<(EntryKey Key, byte[] Fingerprint)>(known.Count);
        while (previous.Stamp == work.Stamp && EntryKey.IsUnder(previous.Key, work.File.Path))
        {
            entries.Add((new EntryKey(previous.Key), previous.Value.ToArray()));
            if (!previous.MoveNext())
                break;
        }

        if (entries.Count != known.Count)
            return false;
        work.Entries = entries;
        return true;
    }

    /// <summary>How a file is parsed belongs to what its stamp proves.</summary>
    private long MarkOf(FoundFile file)
    {
        var text = $"{MappingVersion} {file.Format.Name} {key.Id:x} {IsSecret(file.Key)}";
        return BitConverter.ToInt64(SHA256.HashData(Encoding.ASCII.GetBytes(text)));
    }

    private bool IsSecret(EntryKey file) => policy.TreatmentOf(EntryKind.File, file.Bytes) == Treatment.Secret || Limits.IsSecret(file.Bytes);

    /// <summary>One file on its way.</summary>
    private sealed class Work(FoundFile file)
    {
        public FoundFile File { get; } = file;

        public FileStamp Stamp { get; set; }

        /// <summary>Set as long as it is to be parsed.</summary>
        public byte[]? Content { get; set; }

        public string? Trouble { get; set; }

        public ParseOutcome? Known { get; set; }

        public IReadOnlyList<(EntryKey Key, byte[] Fingerprint)> Entries { get; set; } = [];
    }
}
