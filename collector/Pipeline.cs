using Google.Protobuf;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Text;

namespace Telemetry.Collector;

/// <summary>What happens when an instance is known to be in a new state: the main flow of the collector.</summary>
internal sealed partial class Pipeline(StateStore store, PolicyBook policies, Seals seals, DeviationFeed feed, TimeProvider time, ILogger<Pipeline> logger)
{
    private const int ReevaluatedAtOnce = 32;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Of transitions: all that a whole image has, which became another, at once and more. An instance that flips to and fro, such as by a
    /// mount that comes and goes, would keep the writer from all others, and fill the disk.
    /// </summary>
    public InstanceRates Rates { get; init; } = new(time, perSecond: 100, burst: 500_000);

    /// <summary>Takes in a complete head. When the task completes, everything it means is on disk.</summary>
    /// <param name="head">Newer than any head of the instance before it.</param>
    /// <param name="nodes">That it brought.</param>
    /// <exception cref="NodeMissingException">Nodes it relies on were swept meanwhile; nothing happened.</exception>
    public async Task AcceptAsync(InstanceHead head, AssembledNodes nodes)
    {
        var transitions = await store.WriteAsync(transaction =>
        {
            // :: 1 Keep     the instance's new state and the nodes it brought
            transaction.Nodes.Add(nodes);
            transaction.Heads.Add(head);
            transaction.Instances.Seen(head.InstanceId, head.ReceivedAt);

            var instance = transaction.Instances.Find(head.InstanceId)!;
            return Rates.DebtOf(instance.Id) is var debt && debt > TimeSpan.Zero && !IsPending(transaction, instance.Id)
                ? PutOff(transaction, instance, head.ReceivedAt + debt)
                : Judge(transaction, instance, head, isNew: true);
        });

        // :: 5 Tell     subscribers and alert routes, which read the outbox
        Tell(head.InstanceId, transitions);
    }

    /// <summary>Takes in who made changes, as told by their instance before the head that has them, or late.</summary>
    public Task NoteAsync(string instanceId, IReadOnlyList<ChangeRecord> records) =>
        store.WriteAsync(transaction =>
        {
            transaction.Changes.Add(instanceId, records, time.GetUtcNow());
            LateRecords.Annotate(transaction, instanceId, records);
        });

    /// <summary>Judges instances anew from their stored state: time itself says something new about them.</summary>
    public void Reevaluate(IReadOnlyCollection<string> instanceIds)
    {
        foreach (var some in instanceIds.Chunk(ReevaluatedAtOnce))
            JudgeTogether(some, (transaction, id) => transaction.Pending.Find(id) is not { } pending || pending.DueAt <= time.GetUtcNow());
    }

    /// <summary>
    /// Judges whoever waits for it (<see cref="PendingTable"/>), because what judges them changed: a version, a binding, a policy. When
    /// it returns, all who waited when it was called are judged, by this call or by another; each once. Who can't be judged goes on
    /// waiting, longer each time (<see cref="PendingTable.Failed"/>).
    /// </summary>
    public void JudgePending()
    {
        var done = 0;
        var told = time.GetTimestamp();
        for (var last = 0L; ;)
        {
            var some = store.Read(transaction => transaction.Pending.After(last, ReevaluatedAtOnce, time.GetUtcNow()));
            if (some.Count == 0)
                return;

            JudgeTogether(some.Select(pending => pending.InstanceId), IsPending);
            last = some[^1].Id;
            done += some.Count;
            if (time.GetElapsedTime(told) < ProgressInterval)
                continue;
            Log.Reevaluating(logger, done, store.Read(transaction => transaction.Pending.Count()));
            told = time.GetTimestamp();
        }
    }

    /// <summary>The same for one of them.</summary>
    public async Task JudgeIfPendingAsync(string instanceId) => Tell(instanceId, await JudgeIfAsync(instanceId, IsPending));

    private bool IsPending(StoreTransaction transaction, string instanceId) => transaction.Pending.Find(instanceId)?.DueAt <= time.GetUtcNow();

    /// <param name="isDue">Asked in the transaction.</param>
    private void JudgeTogether(IEnumerable<string> instanceIds, Func<StoreTransaction, string, bool> isDue)
    {
        // Started together, they are committed together; and heads that come meanwhile wait for no more than these.
        var judged = instanceIds.Select(id => (Id: id, Transitions: JudgeIfAsync(id, isDue))).ToList();
        foreach (var (id, transitions) in judged)
        {
            IReadOnlyList<Transition> made;
            try
            {
                made = transitions.GetAwaiter().GetResult();
            }
            catch (Exception e) when (e is not StoreException)
            {
                // One whose judgement fails keeps none of the others from theirs, and is tried again later.
                Failed(id, e);
                continue;
            }

            Tell(id, made);
        }
    }

    private Task<IReadOnlyList<Transition>> JudgeIfAsync(string instanceId, Func<StoreTransaction, string, bool> isDue) =>
        store.WriteAsync(transaction => isDue(transaction, instanceId) && transaction.Instances.Find(instanceId) is { } instance
            ? Judge(transaction, instance, transaction.Heads.Newest(instanceId), isNew: false)
            : Expire(transaction, instanceId));

    /// <summary>Whether an instance is judged or not, time goes on.</summary>
    private IReadOnlyList<Transition> Expire(StoreTransaction transaction, string instanceId)
    {
        var now = time.GetUtcNow();
        return Write(transaction, DeviationTracker.Expire(transaction.Deviations.OpenOf(instanceId), now), now);
    }

    private IReadOnlyList<Transition> Judge(StoreTransaction transaction, Instance instance, InstanceHead? head, bool isNew)
    {
        try
        {
            var transitions = Conclude(transaction, instance, head, isNew);
            transaction.Pending.Remove(instance.Id);
            if (transitions.Count > 0)
                Rates.Take(instance.Id, transitions.Count);
            return transitions;
        }
        catch (Exception e) when (e is DamagedNodeException or NodeMissingException)
        {
            var pending = transaction.Pending.Failed(instance.Id, time.GetUtcNow());
            return NotJudged(transaction, instance, e.Message, Prospect(pending));
        }
    }

    /// <summary>All its states are kept, and the newest of them is judged then.</summary>
    private IReadOnlyList<Transition> PutOff(StoreTransaction transaction, Instance instance, DateTimeOffset due)
    {
        transaction.Pending.PutOff(instance.Id, due);
        return NotJudged(transaction, instance, "Its states change too much to judge each of them.", $"The newest is judged at {due:yyyy-MM-dd HH:mm:ss}Z.");
    }

    private void Failed(string instanceId, Exception reason) => store.Write(transaction =>
    {
        if (transaction.Instances.Find(instanceId) is not { } instance)
            return;
        var pending = transaction.Pending.Failed(instanceId, time.GetUtcNow());
        if (pending.Attempts == 1 || pending.DueAt is null)
            Log.Failed(logger, instanceId, Prospect(pending), reason);
        transaction.Instances.Judged(instanceId, instance.JudgedId, $"The judgement failed, and what is open stays so: {reason.Message} {Prospect(pending)}");
    });

    private static string Prospect(PendingJudgement pending) => pending.DueAt is { } due
        ? $"It failed {Counted.Of(pending.Attempts, "time")}, and is tried again at {due:yyyy-MM-dd HH:mm:ss}Z."
        : $"It failed {Counted.Of(pending.Attempts, "time")}, and is tried again with the next state of the instance, with the next change of what judges it, and when the collector starts.";

    /// <summary>Nothing is concluded from what may have been forged: what is open stays so, but time goes on. Logged once, not with every head.</summary>
    /// <param name="prospect">When it is tried again, for people; empty: when what it is about changes.</param>
    private IReadOnlyList<Transition> NotJudged(StoreTransaction transaction, Instance instance, string reason, string prospect = "")
    {
        if (!instance.Comparison.StartsWith(reason, StringComparison.Ordinal))
            Log.NotJudged(logger, instance.Id, reason);
        transaction.Instances.Judged(instance.Id, instance.JudgedId, $"{reason} {prospect}".TrimEnd());
        return Expire(transaction, instance.Id);
    }

    private IReadOnlyList<Transition> Conclude(StoreTransaction transaction, Instance instance, InstanceHead? head, bool isNew)
    {
        var now = time.GetUtcNow();
        var bound = Binding.LineOf(instance, transaction.Baselines.Bindings());
        if (bound.Tie is { } tie)
            return NotJudged(transaction, instance, tie);

        var accepted = bound.Line is { } line ? transaction.Baselines.Accepted(line) : [];
        var stacks = accepted.ToDictionary(version => version.Id, version => BaselineStack.Of(transaction, version));
        try
        {
            foreach (var version in accepted)
                seals.Check(transaction, stacks[version.Id], version);
            if (bound.Line is not null)
                seals.CheckAcceptance(transaction, bound.Line, accepted);
        }
        catch (SignatureException e)
        {
            return NotJudged(transaction, instance, e.Message);
        }

        if (head is null || accepted.Count == 0)
        {
            transaction.Instances.Judged(instance.Id, accepted.Count == 0 ? null : accepted[0].Id, "");
            var unjudged = transaction.Deviations.OpenOf(instance.Id);
            return Write(transaction, DeviationTracker.CloseAll(unjudged, now), now);
        }

        // :: 2 Compare  with the accepted version it differs from least, as its line's policy says
        // :: 3 Track    which deviations opened, changed and closed
        var unread = transaction.Unread.Of(instance.Id);
        var judgement = Judgement.Of(
            transaction, accepted, instance.JudgedId, head, policies.OfLine(transaction, bound.Line!).Yardstick, unread, now);
        transaction.Unread.Replace(instance.Id, unread, judgement.Unread);
        if (judgement.NotReached is { } notReached && !instance.Comparison.StartsWith(notReached, StringComparison.Ordinal))
            Log.NotReached(logger, instance.Id, judgement.Baseline.Name, notReached);
        transaction.Instances.Judged(instance.Id, judgement.Baseline.Id, judgement.LeftOut);

        // :: 4 Explain  whose layer it touches, who made what opened or changed, and which cause it belongs to
        var attribution = stacks[judgement.Baseline.Id].Attribution(transaction);
        var explanation = new Explanation(transaction, head, bound.Line!, isNew, transaction.Pending.Find(instance.Id)?.Reason);
        var written = Write(transaction, [.. judgement.Transitions.Select(Explain)], now);
        transaction.Instances.Concluded(instance.Id);
        return written;

        Transition Explain(Transition transition)
        {
            var deviation = explanation.Of(transition);
            if (transition.Kind == TransitionKind.Closed)
                return transition with { Deviation = deviation };

            var attributed = attribution.Of(deviation.Kind, deviation.Key);
            var explained = transition with { Deviation = deviation with { Attributed = attributed } };

            // Whoever follows the deviations of that layer has not heard of it yet.
            return transition.Kind == TransitionKind.Moved && deviation.Attributed is { } before && !before.IsOfTheSameLayerAs(attributed)
                ? new Transition(TransitionKind.Changed, explained.Deviation with { Transitions = deviation.Transitions + 1 })
                : explained;
        }
    }

    /// <summary>Stores transitions, and beside each that is to be told the event that does.</summary>
    /// <returns>Those that are to be told.</returns>
    public static IReadOnlyList<Transition> Write(StoreTransaction transaction, IReadOnlyList<Transition> transitions, DateTimeOffset now)
    {
        // What closes makes room for what opens of the same entry.
        transaction.Deviations.Update(transitions.Where(transition => transition.Kind != TransitionKind.Opened).Select(transition => transition.Deviation));
        var written = transitions
            .Where(transition => transition.Kind != TransitionKind.Moved)
            .Select(transition => transition.Kind == TransitionKind.Opened ? transition with { Deviation = transaction.Deviations.Add(transition.Deviation) } : transition)
            .ToList();

        var messages = new DeviationMessages(transaction);
        transaction.Events.Add(written.ConvertAll(transition => (transition, messages.Of(transition.Deviation).ToByteArray())), now);
        return written;
    }

    private void Tell(string instanceId, IReadOnlyList<Transition> transitions)
    {
        if (transitions.Count == 0)
            return;

        feed.Wake();
        Log.Judged(
            logger,
            instanceId,
            transitions.Count(transition => transition.Kind == TransitionKind.Opened),
            transitions.Count(transition => transition.Kind == TransitionKind.Changed),
            transitions.Count(transition => transition.Kind == TransitionKind.Closed));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Instance {Instance}: of its deviations {Opened} opened, {Changed} changed, {Closed} closed")]
        public static partial void Judged(ILogger logger, string instance, int opened, int changed, int closed);

        [LoggerMessage(3, LogLevel.Error, "Instance {Instance} is not judged. {Reason}")]
        public static partial void NotJudged(ILogger logger, string instance, string reason);

        [LoggerMessage(4, LogLevel.Error, "Instance {Instance} could not be judged anew; what is open stays so. {Prospect}")]
        public static partial void Failed(ILogger logger, string instance, string prospect, Exception exception);

        [LoggerMessage(5, LogLevel.Warning, "Instance {Instance} covers less than its baseline {Baseline}: what changes there is not seen. {NotReached}")]
        public static partial void NotReached(ILogger logger, string instance, VersionName baseline, string notReached);

        [LoggerMessage(2, LogLevel.Information, "Judging instances anew: {Done} done, {Left} left")]
        public static partial void Reevaluating(ILogger logger, int done, long left);
    }
}
