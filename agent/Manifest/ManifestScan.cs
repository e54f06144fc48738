using System.Buffers;
using System.Collections.Concurrent;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>What one complete look at everything saw.</summary>
/// <param name="StartedAt">Nothing it says is older.</param>
/// <param name="CompletedAt">Nothing it says is younger.</param>
internal sealed record Sighting(Roots Roots, Coverage Coverage, DateTimeOffset StartedAt, DateTimeOffset CompletedAt, long Entries);

/// <summary>Runs the scanners and builds a tree of each kind from what they hand out.</summary>
internal sealed class ManifestScan(IReadOnlyList<IScanner> scanners, Scope scope, TimeProvider clock)
{
    // Entries that wait while files are looked at; a few hundred bytes each.
    private const int MaxAhead = 8192;

    // The name is the first component of a scanner's keys, which must rise within a kind.
    private readonly IReadOnlyList<IScanner> _scanners = [.. scanners.OrderBy(scanner => scanner.Identity.Name, StringComparer.Ordinal)];

    public Scope Scope => scope;

    /// <summary>Files to read whatever their stamps prove, in key order.</summary>
    public IReadOnlyList<EntryKey> Dirty { get; init; } = [];

    /// <summary>What was missed before this look; null: nothing.</summary>
    public Loss? Loss { get; init; }

    /// <summary>How changes come to be known from this look on; null: nobody watches.</summary>
    public WatchedParts? Watched { get; init; }

    /// <summary>Looks at files and, beside them, at all else: that waits for others and leaves a core to them.</summary>
    public Sighting Run(IManifestTarget target, ScanProgress progress, CancellationToken cancellation)
    {
        var startedAt = clock.GetUtcNow();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var entries = new BlockingCollection<SeenEntry>(MaxAhead);
        var looks = EntryKinds.All.Select(kind => new KindLook(kind, target)).ToList();
        var files = looks.Single(look => look.Kind == EntryKind.File);
        var others = looks.Where(look => look != files).ToList();

        void LookAt(KindLook look, EntrySink sink)
        {
            look.Pass = new ScanPass(look.Kind, look.Previous, sink, progress) { Dirty = look == files ? Dirty : [] };
            foreach (var scanner in _scanners.Where(scanner => scanner.Identity.Kind == look.Kind))
            {
                if (scanner.Scan(look.Pass, stop.Token))
                    look.Present.Add(scanner.Identity);
            }
        }

        // The target takes entries from one thread, one kind after the other.
        Together.Run(
            stop,
            () =>
            {
                LookAt(files, files.Tree.Append);
                foreach (var entry in entries.GetConsumingEnumerable(stop.Token))
                    others.Single(look => look.Kind == entry.Kind).Tree.Append(entry.Key, entry.Value, entry.Stamp);
            },
            () =>
            {
                foreach (var look in others)
                    LookAt(look, (key, value, stamp) => entries.Add(new SeenEntry(look.Kind, key.ToArray(), value.ToArray(), stamp), stop.Token));
                entries.CompleteAdding();
            });

        var coverage = new Coverage(
            scope,
            [.. looks.SelectMany(look => look.Present).OrderBy(scanner => scanner.Name, StringComparer.Ordinal)],
            [.. looks.SelectMany(look => look.Pass!.Gaps)],
            Loss is { Reason: { } reason } ? [new LossWindow(Loss.Since, startedAt, reason)] : [])
        {
            Watched = Watched?.All ?? [],
        };
        var roots = looks.Aggregate(Roots.Empty, (roots, look) => roots.With(look.Kind, look.Tree.Finish()));
        return new Sighting(roots, coverage, startedAt, clock.GetUtcNow(), progress.Entries);
    }

    private sealed class KindLook(EntryKind kind, IManifestTarget target)
    {
        public EntryKind Kind { get; } = kind;

        public Tree Tree { get; } = new(kind, target);

        public IPreviousEntries? Previous { get; } = target.Previous(kind);

        public ScanPass? Pass { get; set; }

        public List<Scanner> Present { get; } = [];
    }

    /// <summary>The tree of one kind, growing. The stamps of a leaf's entries travel beside it.</summary>
    private sealed class Tree
    {
        private readonly TreeBuilder _builder;
        private readonly ArrayBufferWriter<byte> _stamps = new(64 * FileStamp.Length);

        public Tree(EntryKind kind, IManifestTarget target) =>
            _builder = new TreeBuilder(node =>
            {
                target.Add(kind, node, node.Level == 0 ? _stamps.WrittenSpan : []);
                if (node.Level == 0)
                    _stamps.ResetWrittenCount();
            });

        public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, FileStamp stamp)
        {
            // First the stamp: appending may complete the leaf.
            stamp.Write(_stamps.GetSpan(FileStamp.Length));
            _stamps.Advance(FileStamp.Length);
            _builder.Append(key, value);
        }

        public Digest Finish() => _builder.Finish();
    }
}
