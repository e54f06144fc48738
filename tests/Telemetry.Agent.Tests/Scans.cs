using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Tests;

/// <summary>Makers of scans.</summary>
internal static class Scans
{
    /// <summary>A clock that is late enough for the times of files just written to be trusted.</summary>
    public static FakeTimeProvider LaterClock() => new(TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(1));

    public static readonly StateOptions StateOptions = new() { ReturnAfter = TimeSpan.FromMinutes(10) };

    public static readonly FleetKey Key = FleetKey.Of(new byte[FleetKey.Length]);

    public static readonly Policy NoPolicy = new() { Name = "none" };

    public static ManifestScan Of(string root, Scope? scope = null, TimeProvider? clock = null, Policy? policy = null, FleetKey? key = null)
    {
        clock ??= LaterClock();
        scope ??= Scope.Everything;
        return new ManifestScan([new FileScanner(root, Rules(scope, policy, key), clock), new DpkgScanner(root, clock)], scope, clock);
    }

    public static FileRules Rules(Scope? scope = null, Policy? policy = null, FleetKey? key = null) =>
        new(scope ?? Scope.Everything, new FileSecrets(policy ?? NoPolicy, key ?? Key));

    /// <summary>A complete look with nothing known before.</summary>
    public static ScannedTree Look(string root, Scope? scope = null, Policy? policy = null, FleetKey? key = null, ScanProgress? progress = null)
    {
        var target = new MemoryTarget();
        var sighting = Of(root, scope, policy: policy, key: key)
            .Run(target, progress ?? new ScanProgress(), TestContext.Current.CancellationToken);
        return new ScannedTree(target.Nodes, sighting);
    }
}

/// <summary>Keeps the nodes of a scan that knows nothing before it.</summary>
internal sealed class MemoryTarget : IManifestTarget
{
    public MemoryNodes Nodes { get; } = new();

    public IPreviousEntries? Previous(EntryKind kind) => null;

    public void Add(EntryKind kind, EncodedNode node, ReadOnlySpan<byte> stamps) => Nodes.Add(node);
}

internal sealed record ScannedTree(INodeSource Nodes, Sighting Sighting)
{
    public IReadOnlyList<TreeEntry> Entries(EntryKind kind) => [.. TreeReader.Entries(Nodes, Sighting.Roots[kind])];

    public Fingerprint? Find(string path) => TreeReader.Find(Nodes, Sighting.Roots.File, EntryKey.OfPath(path));
}
