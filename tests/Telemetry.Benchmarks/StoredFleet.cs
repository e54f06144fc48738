using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Benchmarks;

/// <summary>A collector's stages on a real store, without listeners.</summary>
internal sealed partial class StoredFleet(string folder, int entries) : IDisposable
{
    private readonly AssemblyRoom _room = new(TimeProvider.System);
    private readonly byte[][] _keys = [.. Enumerable.Range(0, entries).Select(KeyOf).Order().Select(key => key.Bytes.ToArray())];
    private readonly PolicyBook _policies = new();
    private readonly Seals _seals = new(SigningKey.LoadOrCreate(folder), TimeProvider.System);
    private StateStore _store = StateStore.Open(folder);

    /// <summary>Two stored manifests, compared again and again.</summary>
    /// <returns>Milliseconds, the median of all rounds but the first.</returns>
    public async Task<double> CompareMilliseconds(int changes, int rounds)
    {
        var (left, right) = (await StoreTree(changes: 0), await StoreTree(changes));
        var times = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            var begun = TimeProvider.System.GetTimestamp();
            var found = _store.Read(transaction => Comparison.Between(transaction.Nodes, left, right, new CoverageOverlap(Coverage, Coverage)).Count());
            times.Add(TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds);
            if (found != changes)
                throw new InvalidOperationException($"{found} differences, {changes} were made");
        }

        return times.Skip(1).Order().ElementAt((rounds - 1) / 2);
    }

    /// <summary>By how much the store's file grows for each instance that is what its baseline says: all that it takes, from its first hello.</summary>
    public async Task<double> BytesOfAnEqualInstance(int instances)
    {
        var roots = await StoreTree(changes: 0);
        var (_, registry) = Stages();
        registry.Create(VersionName.TryParse("shop:1")!, Baseline.DefaultOwner, new ManifestHead(roots, Coverage, TimeProvider.System.GetUtcNow(), "benchmark"));
        registry.Bind(new Binding(Selector.Tag, "role=web", "shop"));

        var before = Length();
        var (pipeline, _) = Stages();
        for (var i = 0; i < instances; i++)
            await Report(pipeline, i, roots);
        return (double)(Length() - before) / instances;
    }

    /// <summary>
    /// Instances with 0 to 200 deviations each get a new version of their line, which differs in 100 entries, and the old one is retired:
    /// each then deviates in those too, and every open deviation is told to be judged by another version.
    /// </summary>
    public async Task<Reevaluation> Reevaluate(int instances)
    {
        const int Changes = 100;
        var (roots, next) = (await StoreTree(changes: 0), await StoreTree(Changes));
        var (_, registry) = Stages();
        var (old, required) = (VersionName.TryParse("fleet:1")!, VersionName.TryParse("fleet:2")!);
        registry.Create(old, Baseline.DefaultOwner, new ManifestHead(roots, Coverage, TimeProvider.System.GetUtcNow(), "benchmark"));
        for (var i = 0; i < instances; i++)
            StoreInstance(i, roots, deviations: i % 201);
        registry.Bind(new Binding(Selector.Image, "ami-fleet", "fleet"));
        var opened = _store.Read(transaction => transaction.Events.Last());

        GC.Collect();
        var before = OwnMemory.ResidentBytes();
        OwnMemory.ForgetPeak();
        var begun = TimeProvider.System.GetTimestamp();
        registry.Create(required, Baseline.DefaultOwner, new ManifestHead(next, Coverage, TimeProvider.System.GetUtcNow(), "benchmark"));
        registry.Retire(old);
        var took = TimeProvider.System.GetElapsedTime(begun);
        var grown = OwnMemory.PeakBytes() - before;

        var written = _store.Read(transaction => transaction.Events.Last()) - opened;
        return written >= (long)instances * Changes
            ? new Reevaluation(took, written, grown)
            : throw new InvalidOperationException($"{written} transitions were written, each of {instances} instances has {Changes} at least");
    }

    public void Dispose()
    {
        _store.Dispose();
        _room.Dispose();
    }

    /// <summary>As an agent has it that watches a machine with a dozen filesystems.</summary>
    private static Coverage Coverage { get; } = new(
        Scope.Everything,
        [new Scanner(EntryKind.File, "file", 1, 0), new Scanner(EntryKind.Package, "dpkg", 1, 0), new Scanner(EntryKind.Setting, "setting", 1, 0)],
        [],
        [])
    {
        Watched = [.. Enumerable.Range(0, 12).Select(i => new WatchedPart(EntryKey.OfPath($"/mount/{i}"), WatchMethod.Fanotify, ""))],
    };

    private (Pipeline Pipeline, BaselineRegistry Registry) Stages()
    {
        _seals.Adopt(_store);
        var pipeline = new Pipeline(_store, _policies, _seals, new DeviationFeed(_store), TimeProvider.System, NullLogger<Pipeline>.Instance);
        return (pipeline, new BaselineRegistry(_store, _policies, _seals, pipeline, new ConnectedAgents(TimeProvider.System), TimeProvider.System));
    }

    private async Task Report(Pipeline pipeline, int number, Roots roots)
    {
        using var stream = new AgentStream(_store, pipeline, _room, new MessageRoom(), _policies, FleetKey.Random(), new NoPointSink(_store, new StoreOptions(TimeSpan.FromDays(400)), TimeProvider.System), new CheckRates(TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        var now = TimeProvider.System.GetUtcNow();
        var hello = new V1.Hello { InstanceId = $"i-{number:x17}", Name = $"web-{number}", AgentVersion = "0.1.0", BootId = $"{Guid.NewGuid()}", SentAt = now.ToTimestamp() };
        hello.NodeFormats.Add(TreeNode.Format);
        hello.Tags.Add("role", "web");
        stream.Meet(hello);
        await stream.WelcomeAsync();
        var head = new V1.Head { Epoch = 1, Sequence = 1, Roots = roots.ToMessage(), Coverage = Coverage.ToMessage(), ObservedAt = now.ToTimestamp() };
        await foreach (var response in stream.ReceiveAsync(new V1.ConnectRequest { Head = head }))
        {
            if (response.Ack is null)
                throw new InvalidOperationException($"instance {number} is not what is stored: {response}");
        }

        await stream.LeaveAsync(new Departures(_store, NullLogger<Departures>.Instance), now);
    }

    /// <summary>As if it had reported, deviating all over the tree.</summary>
    private void StoreInstance(int number, Roots roots, int deviations)
    {
        var now = TimeProvider.System.GetUtcNow();
        var instance = new Instance($"r-{number}", $"web-{number}", "0.1.0", "web", "", ImmutableSortedDictionary<string, string>.Empty, "ami-fleet", now);
        var edits = Enumerable.Range(0, deviations)
            .Select(edit => (long)edit * entries / deviations)
            .Select(place => new TreeEdit(_keys[place], File((int)place, $"of {instance.Id}").Encode()))
            .ToList();
        _store.Write(transaction =>
        {
            var edited = TreeEditor.Apply(transaction.Nodes, roots.File, edits);
            transaction.Nodes.Add(CreatedNodes.ToStore(edited.Created, transaction.Nodes));
            transaction.Instances.Put(instance);
            transaction.Heads.Add(new InstanceHead(instance.Id, new HeadPosition(1, 1), roots.With(EntryKind.File, edited.Root), Coverage, now, now, now));
        });
    }

    private async Task<Roots> StoreTree(int changes)
    {
        var nodes = new List<byte[]> { EncodedNode.Empty.Bytes };
        var builder = new TreeBuilder(node => nodes.Add(node.Bytes));
        var every = changes == 0 ? int.MaxValue : entries / changes;
        for (var i = 0; i < _keys.Length; i++)
            builder.Append(_keys[i], File(i, i % every == every - 1 ? "changed" : "").Encode());
        var roots = Roots.Empty.With(EntryKind.File, builder.Finish());

        using var assembly = new HeadAssembly(roots, _room);
        foreach (var batch in nodes.Chunk(500))
        {
            foreach (var node in batch)
                assembly.Take(node);
            _store.Read(transaction => assembly.AdvanceInOrder(transaction.Nodes));
            await assembly.StoreAsync(_store);
        }

        return roots;
    }

    /// <summary>With nothing left in the log beside the file.</summary>
    private long Length()
    {
        _store.Dispose();
        var length = new FileInfo(Path.Combine(folder, "state.db")).Length;
        _store = StateStore.Open(folder);
        return length;
    }

    private static EntryKey KeyOf(int number) =>
        EntryKey.OfPath(string.Create(CultureInfo.InvariantCulture, $"/usr/share/package-{number % 997}/part-{number % 31}/file-{number}"));

    private static Fingerprint File(int number, string change) => new()
    {
        Type = FileType.File,
        Mode = 0b110_100_100,
        Uid = 0,
        Gid = 0,
        Size = (ulong)number,
        Content = Digest.Of(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number} {change}"))),
    };
}

/// <param name="Transitions">That were written.</param>
/// <param name="GrownBytes">Resident memory at its peak, above that before.</param>
internal sealed record Reevaluation(TimeSpan Took, long Transitions, long GrownBytes);
