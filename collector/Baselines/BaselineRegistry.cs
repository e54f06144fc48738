using Telemetry.Collector.Ingest;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Baselines;

/// <summary>Makes versions and bindings, and has what they concern judged anew.</summary>
internal sealed class BaselineRegistry(StateStore store, PolicyBook policies, Pipeline pipeline, ConnectedAgents agents, TimeProvider time)
{
    /// <summary>Makes a version of a manifest whose nodes are stored. Repeating it with equal content is harmless.</summary>
    /// <param name="nodes">Those of the manifest that are not stored yet; null: all are.</param>
    /// <exception cref="BaselineException">That version exists with other content.</exception>
    /// <exception cref="NodeMissingException">Nodes of the manifest were swept meanwhile.</exception>
    public Baseline Create(
        BaselineName name, Roots roots, Coverage coverage, string source, DateTimeOffset observedAt, AssembledNodes? nodes = null)
    {
        var created = store.Write(transaction =>
        {
            if (nodes is not null)
                transaction.Nodes.Add(nodes);
            if (transaction.Baselines.Find(name) is { } existing)
            {
                return existing.HasContent(roots, coverage)
                    ? existing
                    : throw new BaselineException($"Baseline {name} exists with other content, and versions never change; choose another version.");
            }

            var entries = EntryKinds.All.Sum(kind => transaction.Nodes.Find(roots[kind])!.Summary.Entries);
            return transaction.Baselines.Add(
                new Baseline(0, name, roots, coverage, source, entries, observedAt, time.GetUtcNow()));
        });

        pipeline.Reevaluate(Judged(name.Line));
        return created;
    }

    /// <summary>Makes a version of what an instance is now.</summary>
    /// <exception cref="BaselineException">No such instance, no state yet, or the version exists with other content.</exception>
    public Baseline Capture(BaselineName name, string instanceId)
    {
        var (instance, head) = store.Read(transaction => (transaction.Instances.Find(instanceId), transaction.Heads.Newest(instanceId)));
        if (instance is null)
            throw new BaselineException($"There is no instance '{instanceId}'; 'telemetryctl instances list' shows those there are.");
        if (head is null)
            throw new BaselineException($"Instance '{instanceId}' has not reported a complete state yet; try again when 'instances show' has a head.");

        // How an instance is watched says nothing about the state it is in.
        return Create(name, head.Roots, head.Coverage with { Watched = [] }, $"captured from {instanceId} ({instance.Name})", head.ObservedAt);
    }

    /// <summary>Binds a line, and returns the ids of the known instances it judges now.</summary>
    /// <param name="policy">What the line judges by from now on; null: as before.</param>
    /// <exception cref="BaselineException">No such line, instance or policy, or a tie with another binding; nothing was changed.</exception>
    public IReadOnlyList<string> Bind(Binding binding, string? policy = null)
    {
        var picked = store.Write(transaction =>
        {
            RequireLine(transaction, binding.Line);
            if (binding.Selector == Selector.Instance && transaction.Instances.Find(binding.Value) is null)
                throw new BaselineException($"There is no instance '{binding.Value}'; 'telemetryctl instances list' shows those there are.");

            if (policy is not null)
                SetPolicy(transaction, binding.Line, policy);
            transaction.Baselines.Bind(binding);
            var bindings = transaction.Baselines.Bindings();
            var picked = transaction.Instances.All().Where(binding.Picks).ToList();
            var tie = picked.Select(instance => Binding.LineOf(instance, bindings).Tie).FirstOrDefault(tie => tie is not null);
            return tie is null ? picked.ConvertAll(instance => instance.Id) : throw new BaselineException(tie);
        });

        var judged = Judged(binding.Line);
        JudgeAnew(policy is null ? picked : [.. picked.Union(judged)]);
        return [.. picked.Intersect(judged)];
    }

    /// <summary>Says what a line judges by, and returns the ids of the known instances it judges.</summary>
    /// <exception cref="BaselineException">No such line or policy.</exception>
    public IReadOnlyList<string> SetPolicy(string line, string policy)
    {
        store.Write(transaction =>
        {
            RequireLine(transaction, line);
            SetPolicy(transaction, line, policy);
        });

        var judged = Judged(line);
        JudgeAnew(judged);
        return judged;
    }

    private void SetPolicy(StoreTransaction transaction, string line, string policy)
    {
        if (policies.Find(transaction, policy) is null)
            throw new BaselineException($"There is no policy '{policy}'; 'telemetryctl policies list' shows those there are.");
        transaction.Policies.SetOfLine(line, policy);
    }

    private void JudgeAnew(IReadOnlyCollection<string> instanceIds)
    {
        pipeline.Reevaluate(instanceIds);
        agents.PolicyMayDiffer(instanceIds);
    }

    private static void RequireLine(StoreTransaction transaction, string line)
    {
        if (transaction.Baselines.Newest(line) is null)
            throw new BaselineException($"There is no baseline line '{line}'; 'telemetryctl baselines list' shows those there are.");
    }

    private List<string> Judged(string line) => store.Read(transaction =>
    {
        var bindings = transaction.Baselines.Bindings();
        return transaction.Instances.All()
            .Where(instance => Binding.LineOf(instance, bindings).Line == line)
            .Select(instance => instance.Id)
            .ToList();
    });
}

/// <summary>A baseline cannot be made or bound as asked; the message says why and what to do.</summary>
internal sealed class BaselineException(string message) : Exception(message);
