using Google.Protobuf;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector;

/// <summary>What happens when an instance is known to be in a new state: the main flow of the collector.</summary>
internal sealed partial class Pipeline(StateStore store, DeviationFeed feed, TimeProvider time, ILogger<Pipeline> logger)
{
    /// <summary>Takes in a complete head. When this returns, everything it means is on disk.</summary>
    /// <param name="head">Newer than any head of the instance before it.</param>
    /// <param name="nodes">The nodes it brought, checked, children before parents.</param>
    public void Accept(InstanceHead head, IEnumerable<CheckedNode> nodes)
    {
        var transitions = store.Write(transaction =>
        {
            // :: 1 Keep     the instance's new state and the nodes it brought
            foreach (var node in nodes)
                transaction.Nodes.Add(node);
            transaction.Heads.Add(head);
            transaction.Instances.Seen(head.InstanceId, head.ReceivedAt);

            return Judge(transaction, transaction.Instances.Find(head.InstanceId)!, head);
        });

        // :: 4 Tell     subscribers and alert routes, which read the outbox
        Tell(head.InstanceId, transitions);
    }

    /// <summary>Judges instances anew from their stored state: after a binding changed, or a line has a new version.</summary>
    public void Reevaluate(IEnumerable<string> instanceIds)
    {
        foreach (var id in instanceIds)
        {
            var transitions = store.Write(transaction =>
                transaction.Instances.Find(id) is { } instance ? Judge(transaction, instance, transaction.Heads.Newest(id)) : []);
            Tell(id, transitions);
        }
    }

    private IReadOnlyList<Transition> Judge(StoreTransaction transaction, Instance instance, InstanceHead? head)
    {
        var now = time.GetUtcNow();
        var bound = Binding.LineOf(instance, transaction.Baselines.Bindings());
        if (bound.Tie is { } tie)
        {
            transaction.Instances.Judged(instance.Id, instance.JudgedId, tie);
            return [];
        }

        var baseline = bound.Line is { } line ? transaction.Baselines.Newest(line) : null;
        if (head is null || baseline is null)
        {
            transaction.Instances.Judged(instance.Id, baseline?.Id, "");
            var unjudged = transaction.Deviations.OpenOf(instance.Id);
            return Write(transaction, DeviationTracker.CloseAll(unjudged, now), now);
        }

        // :: 2 Compare  with the baseline bound to it
        var overlap = new CoverageOverlap(baseline.Coverage, head.Coverage);
        var differences = Comparison.Between(transaction.Nodes, baseline.Roots, head.Roots, overlap).ToList();
        var unsettled = differences.Count(difference => !Comparison.IsSettled(difference.Change));

        // :: 3 Track    which deviations opened, changed and closed
        var open = transaction.Deviations.OpenOf(instance.Id);
        var transitions = DeviationTracker.Track(open, differences, overlap, head, baseline.Id, now);
        transaction.Instances.Judged(instance.Id, baseline.Id, LeftOut(overlap, unsettled));
        return Write(transaction, transitions, now);
    }

    /// <summary>What the comparison could not conclude, for people.</summary>
    private static string LeftOut(CoverageOverlap overlap, int unsettled) => unsettled == 0
        ? overlap.LeftOut ?? ""
        : $"{overlap.LeftOut ?? "not compared"}{(overlap.LeftOut is null ? ":" : ";")} the content of {unsettled} entries that could not be read in one state";

    /// <summary>Stores transitions, and beside each the event that tells of it.</summary>
    private static List<Transition> Write(StoreTransaction transaction, IReadOnlyList<Transition> transitions, DateTimeOffset now)
    {
        var names = new Dictionary<long, string>();
        var written = new List<Transition>(transitions.Count);
        foreach (var transition in transitions)
        {
            var deviation = transition.Deviation;
            if (transition.Kind == TransitionKind.Opened)
                deviation = transaction.Deviations.Add(deviation);
            else
                transaction.Deviations.Update(deviation);

            if (!names.TryGetValue(deviation.BaselineId, out var baseline))
                names[deviation.BaselineId] = baseline = transaction.Baselines.NameOf(deviation.BaselineId);

            var stored = transition with { Deviation = deviation };
            transaction.Events.Add(stored, now, deviation.ToMessage(baseline).ToByteArray());
            written.Add(stored);
        }

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
        [LoggerMessage(1, LogLevel.Information, "Instance {Instance}: {Opened} deviations opened, {Changed} changed, {Closed} closed")]
        public static partial void Judged(ILogger logger, string instance, int opened, int changed, int closed);
    }
}
