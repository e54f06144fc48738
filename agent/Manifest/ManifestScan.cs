using System.Buffers;
using System.Collections.Immutable;
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
    // The name is the first component of a scanner's keys, which must rise within a kind.
    private readonly IReadOnlyList<IScanner> _scanners = [.. scanners.OrderBy(scanner => scanner.Identity.Name, StringComparer.Ordinal)];

    public Scope Scope => scope;

    /// <summary>Files to read whatever their stamps prove, in key order.</summary>
    public IReadOnlyList<EntryKey> Dirty { get; init; } = [];

    public Sighting Run(IManifestTarget target, ScanProgress progress, CancellationToken cancellation)
    {
        var startedAt = clock.GetUtcNow();
        var roots = Roots.Empty;
        var present = new List<Scanner>();
        var gaps = new List<Gap>();
        foreach (var kind in EntryKinds.All)
        {
            var tree = new Tree(kind, target);
            var pass = new ScanPass(kind, target.Previous(kind), tree.Append, progress)
            {
                Dirty = kind == EntryKind.File ? Dirty : [],
            };
            foreach (var scanner in _scanners.Where(scanner => scanner.Identity.Kind == kind))
            {
                if (scanner.Scan(pass, cancellation))
                    present.Add(scanner.Identity);
            }

            roots = roots.With(kind, tree.Finish());
            gaps.AddRange(pass.Gaps);
        }

        var coverage = new Coverage(
            scope, [.. present.OrderBy(scanner => scanner.Name, StringComparer.Ordinal)], [.. gaps], ImmutableArray<LossWindow>.Empty);
        return new Sighting(roots, coverage, startedAt, clock.GetUtcNow(), progress.Entries);
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
