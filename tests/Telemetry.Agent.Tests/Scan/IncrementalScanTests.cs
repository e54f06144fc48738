using System.Text;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

public sealed class IncrementalScanTests
{
    private const int Batches = 20, Operations = 500;

    private static readonly string Mutate = Path.Combine(Programs.Repository, "tests/Telemetry.Agent.Tests/Scan/mutate.pl");

    /// <summary>
    /// After each batch of random operations: the incremental manifest is that of a fresh scan, and it differs from the one before
    /// on exactly the paths on which mtree and getfattr see a difference.
    /// </summary>
    [Theory]
    [InlineData(1)]
    public void Rescan_AfterRandomOperations_IsAFreshScanAndAgreesWithMtree(int seed)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "changing owners and capabilities needs root");
        Assert.SkipUnless(File.Exists("/usr/bin/mtree") && File.Exists("/usr/bin/getfattr"), "mtree-netbsd or attr is not installed; tests/run.sh installs them");
        using var tree = new TemporaryDirectory();
        using var state = new TemporaryDirectory();
        using var store = new StateStore(state.Path, Scans.StateOptions, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        tree.Write("first", "");
        var expectedBefore = MtreeOracle.Of(tree.Path);
        var before = Look(store, tree.Path);

        for (var batch = 0; batch < Batches; batch++)
        {
            Shell.Run("/", $"perl '{Mutate}' {seed + batch} {Operations} '{tree.Path}'");
            var after = Look(store, tree.Path);
            Assert.Equal(Scans.Look(tree.Path).Sighting.Roots.File, store.Ledger.Head!.Roots.File);

            var expected = MtreeOracle.Of(tree.Path);
            var changed = Changed(before, after);
            Assert.Equal(MtreeOracle.Changed(expectedBefore, expected).Order(StringComparer.Ordinal), changed.Order(StringComparer.Ordinal));
            (before, expectedBefore) = (after, expected);
        }

        Assert.True(before.Count > 100, $"only {before.Count} entries are left");
    }

    private static Dictionary<string, Fingerprint> Look(StateStore store, string root)
    {
        store.Look(Scans.Of(root, clock: TimeProvider.System), new ScanProgress(), TestContext.Current.CancellationToken);
        return TreeReader.Entries(new Nodes(store), store.Ledger.Head!.Roots.File).ToDictionary(
            entry => entry.Key.IsRoot ? "." : "./" + Encoding.Latin1.GetString(entry.Key.Bytes).Replace('\0', '/'),
            entry => entry.Fingerprint,
            StringComparer.Ordinal);
    }

    private static HashSet<string> Changed(Dictionary<string, Fingerprint> before, Dictionary<string, Fingerprint> after) =>
        before.Keys.Union(after.Keys).Where(path => before.GetValueOrDefault(path) != after.GetValueOrDefault(path)).ToHashSet(StringComparer.Ordinal);

    private sealed class Nodes(StateStore store) : INodeSource
    {
        public ReadOnlyMemory<byte> Read(Digest digest) => store.ReadNode(digest);
    }
}
