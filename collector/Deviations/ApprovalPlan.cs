using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Deviations;

/// <summary>What an approval would make: a layer version, and a version of the line with it. Nothing of it is written yet.</summary>
/// <param name="Judged">The newest version of the line, to which the next one is made.</param>
/// <param name="Predecessor">The layer in it that the new version takes the place of; null: it goes on top.</param>
/// <param name="Stack">Of the next version; the new layer is the one without an id.</param>
/// <param name="Settled">What resolutions that were given with it did, for people.</param>
internal sealed record ApprovalPlan(
    IReadOnlyList<Deviation> Deviations,
    Baseline Judged,
    Layer? Predecessor,
    LayerTrees Trees,
    AssembledNodes LayerNodes,
    BaselineStack Stack,
    Roots Roots,
    AssembledNodes Nodes,
    IReadOnlyDictionary<string, string> Settled)
{
    /// <param name="resolutions">Of conflicts that come of it, beside those of the line.</param>
    /// <exception cref="DecisionException">They can't be approved together, or not into this layer.</exception>
    public static ApprovalPlan Of(
        StoreTransaction transaction, IReadOnlyList<Deviation> deviations, string line, VersionName into, Policy policy, IReadOnlyDictionary<string, string> resolutions)
    {
        var approvable = deviations.Where(deviation => policy.TreatmentOf(deviation.Kind, deviation.Key.Bytes) != Treatment.Derived).ToList();
        if (approvable.Count == 0)
            throw new DecisionException("They are all of files that machines make of others, which are never part of a layer.");

        if (approvable.Find(IsUnseen) is { } unread)
            throw new DecisionException($"{KeyText.Format(unread.Kind, unread.Key.Bytes)} could not be read in one state, or its settings not at all, on {unread.InstanceId}: what nobody has seen can't be approved.");

        var actual = OneActualOfEach(approvable);
        var judged = transaction.Baselines.Newest(line)!;
        var stack = BaselineStack.Of(transaction, judged);
        var predecessor = stack.Layers.FirstOrDefault(layer => layer.Name.Line == into.Line);
        if (predecessor is null && (into.Line == line || into.Line == stack.Base.Name.Line))
            throw new DecisionException($"{into.Line} is the name of a baseline, and --into names a layer; choose another name, such as {into.Line}-fixes:1. The next version of {line} is made of itself.");

        var place = predecessor is null ? stack.Layers.Length : stack.Layers.IndexOf(predecessor);

        // :: 1 What the layer does so far, and what its new entries were below it
        var below = stack with { Layers = stack.Layers[..place] };
        var composedBelow = below.Compose(transaction, policy);
        var nodes = new MemoryNodes(transaction.Nodes);
        foreach (var node in composedBelow.Created)
            nodes.Add(node);

        var changes = (predecessor?.Changes(transaction.Nodes) ?? []).ToDictionary(change => (change.Kind, change.Change.Key), change => change.Change);
        foreach (var (entry, after) in actual)
        {
            var before = changes.TryGetValue(entry, out var known)
                ? known.Before
                : TreeReader.FindValue(nodes, composedBelow.Roots[entry.Kind], entry.Key);
            changes[entry] = new EntryChange(entry.Key, before, Approvable(before, after));
        }

        // :: 2 The layer with them, without what it does not change any more
        var trees = LayerTrees.Of(changes
            .Where(change => !change.Value.Before.AsSpan().SequenceEqual(change.Value.After) || (change.Value.Before is null) != (change.Value.After is null))
            .Select(change => new Difference(change.Key.Kind, change.Value)));
        foreach (var node in trees.Nodes)
            nodes.Add(node);
        var layer = new Layer(0, into, "", trees.Before, trees.After, predecessor?.ClaimsText ?? "", "", default);

        // :: 3 The line with the layer
        var layers = predecessor is null ? stack.Layers.Add(layer) : stack.Layers.SetItem(place, layer);
        var next = stack with { Layers = layers, Resolutions = stack.Resolutions.SetItems(resolutions) };
        var composed = new Composition(nodes, next.Start, next.Layers, policy, next.Resolutions).Run();
        if (composed.ProblemOf(resolutions) is { } problem)
            throw new DecisionException(problem);
        if (composed.Conflicts is [var conflict, ..])
            throw new DecisionException($"Approved into {into.Line}, {ConflictText(conflict)}");

        foreach (var node in composed.Created)
            nodes.Add(node);
        foreach (var ((kind, key), after) in actual)
        {
            var expected = TreeReader.Find(nodes, composed.Roots[kind], key);
            if (Closeness.Of(kind, expected, after.Decoded(), policy.TreatmentOf(kind, key.Bytes)) != Verdict.Different)
                continue;
            var remedy = actual.Select(entry => NumberOf(next, entry.Key.Kind, entry.Key.Key, entry.Value)).FirstOrDefault(found => found is not null) is { } number
                ? $"for {number} was given to {next.Resolutions[number]}; --resolve {number}={next.Resolutions[number]}+{into.Line} lets them share it"
                : "another layer has it, or a conflict about it was settled so; approve it into the layer that has it last, or into a new one";
            throw new DecisionException($"Approved into {into.Line}, {KeyText.Format(kind, key.Bytes)} would still not be expected: {remedy}.");
        }

        return new ApprovalPlan(
            approvable, judged, predecessor, trees,
            CreatedNodes.ToStore(trees.Nodes, transaction.Nodes),
            next, composed.Roots, CreatedNodes.ToStore(composed.Created, transaction.Nodes),
            composed.SettledBy(resolutions));
    }

    private static string ConflictText(LayerConflict conflict) => conflict.Sides is [var only]
        ? $"{only.Text}; that is refused."
        : conflict.Kind == ConflictKind.Account
        ? $"two accounts would have one number: {string.Join(", ", conflict.Sides.Select(side => $"{side.Text} of {side.Layer}"))}; to approve that, add --resolve {conflict.Key}={string.Join('+', conflict.Lines)}."
        : $"{conflict.Key} would be in conflict between {string.Join(" and ", conflict.Sides.Select(side => side.Layer).Distinct())}; approve it into the layer that has it last, or into a new one.";

    /// <returns>The settled conflict about the number that this gives an account; null: it gives none.</returns>
    private static string? NumberOf(BaselineStack stack, EntryKind kind, EntryKey key, byte[]? after) => kind != EntryKind.Setting ? null : AccountFile.All
        .Where(file => file.AccountOf(key) is not null)
        .Select(file => file.ConflictOf(AccountFile.NumberOf(after.Decoded()) ?? ""))
        .FirstOrDefault(stack.Resolutions.ContainsKey);

    private static bool IsUnseen(Deviation deviation)
    {
        var (expected, actual) = (deviation.Expected.Decoded(), deviation.Actual.Decoded());
        return actual is { IsStable: false } || (ContentBySettings.Is(expected) && Closeness.DifferInContentOnly(expected, actual));
    }

    /// <summary>Of a file that layers share setting by setting nobody approves the content: its settings are entries of their own.</summary>
    private static byte[]? Approvable(byte[]? before, byte[]? after) =>
        before is not null && after is not null && ContentBySettings.Is(Fingerprint.Decode(before)) && Fingerprint.Decode(after) is { Type: FileType.File } file
            ? ContentBySettings.Of(file).Encode()
            : after;

    private static Dictionary<(EntryKind Kind, EntryKey Key), byte[]?> OneActualOfEach(IEnumerable<Deviation> deviations)
    {
        var actual = new Dictionary<(EntryKind, EntryKey), byte[]?>();
        foreach (var entry in deviations.GroupBy(deviation => (deviation.Kind, deviation.Key)))
        {
            var first = entry.First();
            if (entry.FirstOrDefault(deviation => !deviation.Actual.AsSpan().SequenceEqual(first.Actual)) is { } other)
                throw new DecisionException($"{KeyText.Format(first.Kind, first.Key.Bytes)} is not the same everywhere: {Deviation.IdText(first.Id)} on {first.InstanceId} and {Deviation.IdText(other.Id)} on {other.InstanceId} differ; approve one of them by its id.");
            actual[entry.Key] = first.Actual;
        }

        return actual;
    }
}
