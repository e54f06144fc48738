using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>Looks again at some parts, and puts what it sees in the place of what is stored of them.</summary>
/// <param name="parts">Of files: apart from each other, in key order.</param>
/// <param name="parsed">Files and directories among the parts whose settings are read as well.</param>
internal sealed class PartScan(
    IReadOnlyList<IScanner> scanners, Scope scope, IReadOnlyList<LookPart> parts, IReadOnlyList<EntryKey> parsed, TimeProvider clock)
{
    private readonly List<SeenEntry> _seen = [];

    public Scope Scope => scope;

    /// <summary>What was seen, whatever its kind.</summary>
    public IReadOnlyList<SeenEntry> Seen => _seen;

    /// <param name="before">The head whose parts are looked at; of the same scope.</param>
    public Sighting Run(StorePatch patch, LocalHead before, ScanProgress progress, CancellationToken cancellation)
    {
        var startedAt = clock.GetUtcNow();
        var roots = before.Roots;
        var gaps = new List<Gap>();
        var present = before.Coverage.Scanners.ToList();
        foreach (var kind in EntryKinds.All)
        {
            var ofKind = scanners.Where(scanner => scanner.Identity.Kind == kind).OrderBy(scanner => scanner.Identity.Name, StringComparer.Ordinal).ToList();
            var known = before.Coverage.Gaps.Where(gap => gap.Kind == kind);
            if (ofKind.Count == 0)
            {
                gaps.AddRange(known);
                continue;
            }

            var seen = new List<SeenEntry>();
            var pass = new ScanPass(kind, patch.Previous(kind), (key, value, stamp) => seen.Add(new SeenEntry(kind, key.ToArray(), value.ToArray(), stamp)), progress)
            {
                Dirty = kind == EntryKind.File ? [.. parts.Select(part => part.Key)] : [],
            };
            foreach (var scanner in ofKind)
            {
                var isPresent = scanner.Scan(pass, cancellation);
                if (isPresent && !present.Contains(scanner.Identity))
                    present.Add(scanner.Identity);
                else if (!isPresent && kind == EntryKind.Package)
                    present.Remove(scanner.Identity);
            }

            _seen.AddRange(seen);
            var ranges = RangesOf(kind, seen);
            roots = roots.With(kind, patch.Replace(kind, roots[kind], ranges, seen));
            gaps.AddRange(GapList.Of(kind, [.. known.Where(gap => !ranges.Any(range => range.Holds(gap.Prefix.Bytes))), .. pass.Gaps]));
        }

        var coverage = before.Coverage with
        {
            Scanners = [.. present.OrderBy(scanner => scanner.Name, StringComparer.Ordinal)],
            Gaps = [.. gaps],
        };
        return new Sighting(roots, coverage, startedAt, clock.GetUtcNow(), progress.Entries);
    }

    /// <summary>What there is now of a part that was looked at, and what of it is gone that a look at everything may have missed first.</summary>
    /// <param name="seenUntil">The end of the last look at everything.</param>
    public IEnumerable<(EntryKind Kind, TreeEdit Edit)> Find(DirtyPart part, DateTimeOffset seenUntil)
    {
        foreach (var entry in _seen)
            yield return (entry.Kind, new TreeEdit(entry.Key, entry.Value));

        var late = part.Named.Where(named => IsLookedAt(named.Kind, named.Key) && part.LateOriginOf(named.Kind, named.Key.Bytes, seenUntil) is not null).ToHashSet();
        if (late.Count == 0)
            yield break;
        late.ExceptWith(_seen.Select(entry => (entry.Kind, new EntryKey(entry.Key))));
        foreach (var (kind, key) in late)
            yield return (kind, new TreeEdit(key.Bytes.ToArray(), null));
    }

    private bool IsLookedAt(EntryKind kind, EntryKey key) =>
        kind == EntryKind.File ? scope.Covers(key.Bytes) : scanners.Any(scanner => scanner.Identity.Kind == kind);

    private List<KeyRange> RangesOf(EntryKind kind, List<SeenEntry> seen) => kind switch
    {
        EntryKind.File => FileRanges(seen),
        EntryKind.Setting => [.. parsed.SelectMany(SettingRanges).OrderBy(range => range.From, ByteOrder)],
        _ => [KeyRange.Whole],
    };

    /// <summary>Of a part that is no directory any more, nothing is left below.</summary>
    private List<KeyRange> FileRanges(List<SeenEntry> seen)
    {
        var ranges = new List<KeyRange>(parts.Count);
        var next = 0;
        foreach (var part in parts)
        {
            while (next < seen.Count && seen[next].Key.AsSpan().SequenceCompareTo(part.Key.Bytes) < 0)
                next++;
            var isDirectory = next < seen.Count
                && part.Key.Bytes.SequenceEqual(seen[next].Key)
                && Fingerprint.Decode(seen[next].Value).Type == FileType.Directory;
            ranges.Add(part.IsDeep || !isDirectory ? KeyRange.Subtree(part.Key) : KeyRange.Single(part.Key));
        }

        return ranges;
    }

    /// <summary>The settings of a file, and those of all files below if it is a directory.</summary>
    private static IEnumerable<KeyRange> SettingRanges(EntryKey part)
    {
        if (part.IsRoot)
            return [KeyRange.Whole];
        var path = SettingKey.PrefixOf(part);
        return [KeyRange.Subtree(path), new KeyRange([.. path.Bytes, (byte)'/'], [.. path.Bytes, (byte)'/' + 1])];
    }

    private static readonly Comparer<byte[]> ByteOrder = Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right));
}
