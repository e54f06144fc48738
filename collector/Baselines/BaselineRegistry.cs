using Telemetry.Collector.Causes;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Identity;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Baselines;

/// <summary>Makes versions and bindings, and has what they concern judged anew.</summary>
internal sealed class BaselineRegistry(
    StateStore store, PolicyBook policies, Seals seals, Pipeline pipeline, ConnectedAgents agents, TimeProvider time)
{
    /// <summary>Makes a version of a manifest whose nodes are stored. Repeating it with equal content is harmless.</summary>
    /// <param name="owner">Whose everything in it is.</param>
    /// <param name="nodes">Those of the manifest that are not stored yet; null: all are.</param>
    /// <param name="by">Whose token makes it; causes of deviations that open for it name it.</param>
    /// <exception cref="BaselineException">That version exists with other content.</exception>
    /// <exception cref="NodeMissingException">Nodes of the manifest were swept meanwhile.</exception>
    public Baseline Create(VersionName name, string owner, ManifestHead manifest, AssembledNodes? nodes = null, string by = AdminToken.Holder)
    {
        var created = store.Write(transaction =>
        {
            if (nodes is not null)
                transaction.Nodes.Add(nodes);
            var baseline = new Baseline(0, name, manifest.Roots, manifest.Coverage, manifest.Source, 0, manifest.ObservedAt, time.GetUtcNow()) { Owner = owner };
            return AddAndJudge(transaction, baseline, [], by);
        });

        pipeline.JudgePending();
        return created;
    }

    /// <summary>Makes a version of a base and layers on it. Repeating it is harmless.</summary>
    /// <param name="baseName">May be composed itself: then the layers go on top of its own.</param>
    /// <param name="resolutions">Of conflicts: from the key, as people see it, to the name of the side that wins.</param>
    /// <exception cref="BaselineException">There is no such base, that version exists with other content, or the layers are in conflict.</exception>
    /// <exception cref="LayerException">There is no such layer, or a resolution settles nothing.</exception>
    public Baseline Compose(VersionName name, VersionName baseName, IReadOnlyList<VersionName> layers, IReadOnlyDictionary<string, string> resolutions) =>
        ComposeSettled(name, baseName, layers, resolutions, AdminToken.Holder).Baseline;

    /// <inheritdoc cref="Compose"/>
    /// <param name="by">Whose token makes it.</param>
    /// <returns>And what the resolutions did: from the key, as people see it, to words for people.</returns>
    public (Baseline Baseline, Dictionary<string, string> Settled) ComposeSettled(
        VersionName name, VersionName baseName, IReadOnlyList<VersionName> layers, IReadOnlyDictionary<string, string> resolutions, string by)
    {
        var (stack, composed, nodes) = store.Read(transaction =>
        {
            var policy = policies.OfLine(transaction, name.Line);
            var (stack, composed) = LayerRegistry.Compose(transaction, seals, policy.Policy, baseName, layers, resolutions);
            return composed.Conflicts.Count == 0
                ? (stack, composed, CreatedNodes.ToStore(composed.Created, transaction.Nodes))
                : throw new BaselineException($"{LayerConflict.Summary(composed.Conflicts)}; {composed.Conflicts[0].Remedy} says who is right, and 'telemetryctl layers merge {baseName} {string.Join(' ', layers)}{(name.Line == baseName.Line ? "" : $" --line {name.Line}")}' shows all. Compared by policy '{policy.Name}' of line '{name.Line}'.");
        });

        var created = store.Write(transaction =>
        {
            transaction.Nodes.Add(nodes);
            return AddAndJudge(transaction, stack.ToBaseline(name, composed.Roots, time.GetUtcNow()), stack.Layers, by);
        });
        pipeline.JudgePending();
        return (created, composed.SettledBy(resolutions));
    }

    /// <summary>Ends that a version is accepted: who is like it is judged by the others from now on.</summary>
    /// <exception cref="BaselineException">There is no such version, or it is the required one.</exception>
    public Baseline Retire(VersionName name, string by = AdminToken.Holder)
    {
        store.Write(transaction =>
        {
            var baseline = Find(transaction, name);
            seals.CheckAcceptance(transaction, name.Line, transaction.Baselines.Accepted(name.Line));
            if (transaction.Baselines.Newest(name.Line)?.Id == baseline.Id)
                throw new BaselineException($"{name} is the newest version of its line and so the required one; make another version first.");
            if (baseline.RetiredAt is null)
            {
                transaction.Baselines.Retire(baseline.Id, time.GetUtcNow());
                seals.SignAcceptance(transaction, name.Line);
            }

            transaction.Pending.Add(Judged(transaction, name.Line), new JudgedAnew(by, $"retired {name}", time.GetUtcNow()));
        });
        pipeline.JudgePending();
        return store.Read(transaction => transaction.Baselines.Find(name)!);
    }

    /// <exception cref="BaselineException">There is none.</exception>
    public static Baseline Find(StoreTransaction transaction, VersionName name) =>
        transaction.Baselines.Find(name) ?? throw new BaselineException($"There is no baseline '{name}'; 'telemetryctl baselines list' shows those there are.");

    /// <summary>Stores a version whose nodes are stored, and signs it. Repeating it is harmless.</summary>
    /// <param name="layers">What it is composed of, in order.</param>
    /// <exception cref="BaselineException">That version exists with other content.</exception>
    /// <exception cref="SignatureException">Which versions of the line are accepted was altered.</exception>
    public static Baseline Add(StoreTransaction transaction, Seals seals, Baseline baseline, IReadOnlyList<Layer> layers)
    {
        if (transaction.Baselines.Find(baseline.Name) is { } existing)
        {
            var isSame = existing.HasContent(baseline)
                && transaction.Layers.Of(existing.Id).Select(layer => layer.Id).SequenceEqual(layers.Select(layer => layer.Id));
            return isSame
                ? existing
                : throw new BaselineException($"Baseline {baseline.Name} exists with other content, and versions never change; choose another version.");
        }

        var line = baseline.Name.Line;
        seals.CheckAcceptance(transaction, line, transaction.Baselines.Accepted(line));

        // The newest is the one that is required, whatever the clock did meanwhile.
        var last = transaction.Baselines.LastCreated(line)?.AddMilliseconds(1);
        var added = Store(transaction, last > baseline.CreatedAt ? baseline with { CreatedAt = last.Value } : baseline, layers);
        seals.Sign(transaction, added);
        seals.SignAcceptance(transaction, line);
        return added;
    }

    /// <summary>Stores a version whose nodes are stored, and no signature of it.</summary>
    public static Baseline Store(StoreTransaction transaction, Baseline baseline, IReadOnlyList<Layer> layers)
    {
        var entries = EntryKinds.All.Sum(kind => transaction.Nodes.Find(baseline.Roots[kind])!.Summary.Entries);
        var added = transaction.Baselines.Add(baseline with { Entries = entries });
        transaction.Baselines.AddLayers(added.Id, layers.Select(layer => layer.Id));
        return added;
    }

    /// <summary>Makes a version of what an instance is now.</summary>
    /// <param name="named">Id of the instance, or its name.</param>
    /// <exception cref="UnknownInstanceException">There is none, or several are named so.</exception>
    /// <exception cref="BaselineException">No state yet, or the version exists with other content.</exception>
    public Baseline Capture(VersionName name, string named, string owner = Baseline.DefaultOwner, string by = AdminToken.Holder)
    {
        var (instance, head) = store.Read(transaction =>
        {
            var instance = InstanceName.Find(transaction, named);
            return (instance, transaction.Heads.Newest(instance.Id));
        });
        if (head is null)
            throw new BaselineException($"Instance '{named}' has not reported a complete state yet; try again when 'instances show' has a head.");

        // How an instance is watched says nothing about the state it is in.
        return Create(name, owner, new ManifestHead(head.Roots, head.Coverage with { Watched = [] }, head.ObservedAt, $"captured from {instance.Id} ({instance.Name})"), by: by);
    }

    /// <summary>Binds a line, and returns the ids of the known instances it judges now.</summary>
    /// <param name="policy">What the line judges by from now on; null: as before.</param>
    /// <exception cref="UnknownInstanceException">There is no such instance.</exception>
    /// <exception cref="BaselineException">No such line or policy, or a tie with another binding; nothing was changed.</exception>
    public IReadOnlyList<string> Bind(Binding binding, string? policy = null, string by = AdminToken.Holder)
    {
        var (picked, judged, anew) = store.Write(transaction =>
        {
            RequireLine(transaction, binding.Line);
            if (binding.Selector == Selector.Instance)
                binding = binding with { Value = InstanceName.Find(transaction, binding.Value).Id };

            if (policy is not null)
                SetPolicy(transaction, binding.Line, policy);
            transaction.Baselines.Bind(binding);
            var bindings = transaction.Baselines.Bindings();
            var picked = transaction.Instances.All().Where(binding.Picks).ToList();
            var tie = picked.Select(instance => Binding.LineOf(instance, bindings).Tie).FirstOrDefault(tie => tie is not null);
            if (tie is not null)
                throw new BaselineException(tie);

            var ids = picked.ConvertAll(instance => instance.Id);
            var judged = Judged(transaction, binding.Line);
            var anew = policy is null ? ids : [.. ids.Union(judged)];
            var what = $"bound {binding} to {binding.Line}{(policy is null ? "" : $", which policy {policy} judges from now on")}";
            transaction.Pending.Add(anew, new JudgedAnew(by, what, time.GetUtcNow()));
            return (ids, judged, anew);
        });

        JudgeAnew(anew);
        return [.. picked.Intersect(judged)];
    }

    /// <summary>Says what a line judges by, and returns the ids of the known instances it judges.</summary>
    /// <exception cref="BaselineException">No such line or policy.</exception>
    public IReadOnlyList<string> SetPolicy(string line, string policy, string by = AdminToken.Holder)
    {
        var judged = store.Write(transaction =>
        {
            RequireLine(transaction, line);
            SetPolicy(transaction, line, policy);
            var judged = Judged(transaction, line);
            transaction.Pending.Add(judged, new JudgedAnew(by, $"had {line} judged by policy {policy}", time.GetUtcNow()));
            return judged;
        });

        JudgeAnew(judged);
        return judged;
    }

    private void SetPolicy(StoreTransaction transaction, string line, string policy)
    {
        if (policies.Find(transaction, policy) is null)
            throw new BaselineException($"There is no policy '{policy}'; 'telemetryctl policies list' shows those there are.");
        transaction.Policies.SetOfLine(line, policy);
    }

    /// <summary>Judges who was added for that, and tells agents whose policy may be another.</summary>
    private void JudgeAnew(IReadOnlyCollection<string> instanceIds)
    {
        pipeline.JudgePending();
        agents.PolicyMayDiffer(instanceIds);
    }

    private static void RequireLine(StoreTransaction transaction, string line)
    {
        if (transaction.Baselines.Newest(line) is null)
            throw new BaselineException($"There is no baseline line '{line}'; 'telemetryctl baselines list' shows those there are.");
    }

    private Baseline AddAndJudge(StoreTransaction transaction, Baseline baseline, IReadOnlyList<Layer> layers, string by)
    {
        var added = Add(transaction, seals, baseline, layers);
        transaction.Pending.Add(Judged(transaction, baseline.Name.Line), new JudgedAnew(by, $"made {baseline.Name}: {baseline.Source}", time.GetUtcNow()));
        return added;
    }

    /// <summary>Ids of the known instances that a line judges.</summary>
    public static List<string> Judged(StoreTransaction transaction, string line)
    {
        var bindings = transaction.Baselines.Bindings();
        return
        [
            .. transaction.Instances.All()
                .Where(instance => Binding.LineOf(instance, bindings).Line == line)
                .Select(instance => instance.Id),
        ];
    }
}

/// <summary>A baseline cannot be made or bound as asked; the message says why and what to do.</summary>
internal sealed class BaselineException(string message) : Exception(message);
