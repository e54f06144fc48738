using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.Policies;

/// <summary>Puts policies into force: has the instances they concern judged anew, and their agents told.</summary>
internal sealed class PolicyRegistry(StateStore store, PolicyBook policies, Pipeline pipeline, ConnectedAgents agents, TimeProvider time)
{
    /// <summary>Makes the next version of the policy that the text names. Repeating the text in force is harmless.</summary>
    /// <param name="source">Names the text in mistakes.</param>
    /// <param name="setBy">Who does it.</param>
    /// <exception cref="ConfigurationException">With all mistakes at once; nothing was changed.</exception>
    public PolicySet Set(string text, string source, string setBy)
    {
        var name = PolicyText.Parse(text, source).Name;
        var isNew = store.Write(transaction =>
        {
            var inForce = policies.Find(transaction, name);
            if (inForce?.Text == text)
                return false;

            var (version, now) = ((inForce?.Version ?? 0) + 1, time.GetUtcNow());
            transaction.Pending.Add(Judged(transaction, name), new JudgedAnew(setBy, $"set version {version} of policy {name}", now));
            transaction.Policies.Add(new StoredPolicy(name, version, text, now, setBy));
            return true;
        });

        // The book is asked after the commit: what it has parsed once, it keeps.
        var (policy, judged) = store.Read(transaction => (policies.Find(transaction, name)!, Judged(transaction, name)));
        if (isNew)
        {
            pipeline.JudgePending();
            agents.PolicyMayDiffer(judged);
        }

        return new PolicySet(policy, isNew, judged);
    }

    /// <summary>Ids of the known instances that a policy judges.</summary>
    private List<string> Judged(StoreTransaction transaction, string policy) =>
        [.. transaction.Instances.All().Where(instance => policies.Of(transaction, instance).Name == policy).Select(instance => instance.Id)];

    /// <summary>What a policy would do to an instance, if it were in force. Changes nothing.</summary>
    /// <param name="named">Its id, or its name.</param>
    /// <exception cref="ConfigurationException">With all mistakes at once.</exception>
    /// <exception cref="UnknownInstanceException">There is none.</exception>
    public PolicyTrial Test(string text, string source, string named)
    {
        var tested = PolicyText.Parse(text, source);
        return store.Read(transaction =>
        {
            var instance = InstanceName.Find(transaction, named);
            var instanceId = instance.Id;
            var inForce = policies.Of(transaction, instance).Policy;
            var widened = ScopeWidening.Between(inForce, tested);
            var line = Binding.LineOf(instance, transaction.Baselines.Bindings()).Line;
            var accepted = line is null ? [] : transaction.Baselines.Accepted(line);
            var head = transaction.Heads.Newest(instanceId);
            if (accepted.Count == 0 || head is null)
                return new PolicyTrial(tested.Name, inForce.Name, accepted.Count == 0 ? null : accepted[0].Name, [], widened);

            var judgement = Judgement.Of(
                transaction, accepted, instance.JudgedId, head, new Yardstick(tested), transaction.Unread.Of(instanceId), time.GetUtcNow());
            var before = transaction.Deviations.OpenOf(instanceId).ToDictionary(deviation => deviation.Id, deviation => deviation.Severity);
            return new PolicyTrial(
                tested.Name,
                inForce.Name,
                judgement.Baseline.Name,
                [.. judgement.Transitions.Where(transition => transition.Kind != TransitionKind.Moved).Select(transition => new PolicyEffect(
                    transition, before.TryGetValue(transition.Deviation.Id, out var severity) ? severity : null))],
                widened);
        });
    }
}

/// <summary>What came of setting a policy.</summary>
/// <param name="IsNew">False: this text was in force already.</param>
/// <param name="Judged">Ids of the known instances it judges.</param>
internal sealed record PolicySet(PolicyVersion Policy, bool IsNew, IReadOnlyList<string> Judged);
