using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Layers;

/// <summary>What becomes of a base when layers are put on it.</summary>
/// <param name="Roots">Without what is in conflict: of use only when nothing is.</param>
/// <param name="Created">Nodes that were made for it, children before parents.</param>
/// <param name="Changes">Entries that are not as in the base.</param>
/// <param name="Conflicts">By kind and key.</param>
/// <param name="SharedFiles">Files that layers share setting by setting: no content is expected of them, only settings.</param>
/// <param name="Settled">What resolutions did: from the key, as people see it, to words for people.</param>
/// <param name="Warnings">What is no conflict, and perhaps not as it was meant, for people.</param>
internal sealed record Composed(
    Roots Roots, IReadOnlyList<EncodedNode> Created, int Changes, IReadOnlyList<LayerConflict> Conflicts, IReadOnlyList<EntryKey> SharedFiles, IReadOnlyDictionary<string, string> Settled, IReadOnlyList<string> Warnings)
{
    private const int MostNamed = 5;

    /// <summary>What some of the resolutions did.</summary>
    public Dictionary<string, string> SettledBy(IReadOnlyDictionary<string, string> resolutions) =>
        Settled.Where(settled => resolutions.ContainsKey(settled.Key)).ToDictionary();

    /// <summary>What is wrong with the first resolution that settles nothing, and what can be settled; null: all have their use.</summary>
    public string? ProblemOf(IReadOnlyDictionary<string, string> resolutions)
    {
        if (resolutions.Keys.Where(key => !Settled.ContainsKey(key)).Min(StringComparer.Ordinal) is not { } useless)
            return null;
        if (Conflicts.FirstOrDefault(conflict => conflict.Key == useless) is { } conflict)
            return $"'{resolutions[useless]}' is no side of the conflict about {useless}; write {conflict.Remedy}.";

        var keys = Conflicts.Select(conflict => conflict.Key).Distinct().ToList();
        var others = keys.Count > MostNamed ? $"{string.Join(", ", keys.Take(MostNamed))} and {keys.Count - MostNamed} more" : string.Join(", ", keys);
        return $"There is no conflict about {useless} that {resolutions[useless]} could be right in; leave its resolution out. {(keys.Count == 0 ? "There is nothing else to be settled." : $"What can be settled is {others}.")}";
    }
}

/// <summary>What layers are put on.</summary>
/// <param name="Name">As people know it.</param>
internal sealed record LayerBase(string Name, string Owner, Roots Roots);

/// <summary>Puts layers on a base, in order. Pure: it reads nodes, and the same layers on the same base always give the same trees.</summary>
/// <remarks>
/// One rule: what a layer changes must be there as the layer knew it, or be already as it wants it; else it conflicts with whoever
/// wrote it last. So two layers made of one base conflict where they write a key differently, and a layer made on top of
/// another takes over from it; of what is settled, from the side that is right. As equal counts what the policy compares as equal.
/// </remarks>
/// <param name="resolutions">
/// Of conflicts: from the key, as people see it, to the name (without version) of the side that wins. Accounts of one number may stay on
/// several sides: their names are joined with a plus.
/// </param>
internal sealed partial class Composition(
    INodeSource nodes, LayerBase start, IReadOnlyList<Layer> layers, Policy policy, IReadOnlyDictionary<string, string> resolutions)
{
    private const int Base = -1;

    private readonly Dictionary<(EntryKind Kind, EntryKey Key), Write> _written = [];
    private readonly Dictionary<(EntryKind Kind, EntryKey Key), List<Write>> _contested = [];
    private readonly List<EntryKey> _shared = [];
    private readonly List<LayerConflict> _conflicts = [];
    private readonly SortedDictionary<string, string> _settled = new(StringComparer.Ordinal);

    public Composed Run()
    {
        for (var index = 0; index < layers.Count; index++)
        {
            LeaveOutWhatIsAddedAnew(index);
            Put(index);
        }

        ShareFiles();
        Settle();
        LeaveOutAccounts();
        AddConflicts();
        SettleNesting();

        var created = new List<EncodedNode>();
        var roots = start.Roots;
        foreach (var kind in EntryKinds.All)
        {
            var edits = _written
                .Where(written => written.Key.Kind == kind)
                .OrderBy(written => written.Key.Key)
                .Select(written => new TreeEdit(written.Key.Key.Bytes.ToArray(), written.Value.Value))
                .ToList();
            var edited = TreeEditor.Apply(nodes, roots[kind], edits);
            created.AddRange(edited.Created);
            roots = roots.With(kind, edited.Root);
        }

        AddPortConflicts();
        AddAccountConflicts();
        return new Composed(roots, created, _written.Count, [.. _conflicts.OrderBy(conflict => conflict.Kind)], _shared, _settled, [.. EqualClaims()]);
    }

    private void Put(int index)
    {
        foreach (var kind in EntryKinds.All)
        {
            var changes = TreeDifference.Between(nodes, layers[index].Before[kind], nodes, layers[index].After[kind]).ToList();
            var inBase = TreeReader.FindValues(nodes, start.Roots[kind], changes.Select(change => change.Key));
            foreach (var (change, value) in changes.Zip(inBase))
                Put(index, kind, change, _written.GetValueOrDefault((kind, change.Key), new Write(Base, value)));
        }
    }

    private void Put(int index, EntryKind kind, EntryChange change, Write current)
    {
        var entry = (kind, change.Key);

        // Who knows a file as shared was made on top of those who share it, or of one without all accounts.
        if (kind == EntryKind.File && ContentBySettings.Is(change.BeforeFingerprint) && (TryShare(change.Key) || (SettlesAccounts && AccountFile.MayHold(change.Key) && ExpectSettingsOnly(change.Key))))
            current = _written[entry];

        var wanted = new Write(index, change.After);
        if (_contested.TryGetValue(entry, out var sides))
        {
            // What was settled is as the side that is right has it; who changes that knows it.
            if (Winner(entry, sides) is { } won && AreSame(kind, change.Key, won.Value, change.Before))
            {
                _contested.Remove(entry);
                _written[entry] = wanted;
            }
            else if (!sides.Exists(side => AreSame(kind, change.Key, side.Value, wanted.Value)))
            {
                sides.Add(wanted);
            }
        }
        else if (AreSame(kind, change.Key, current.Value, wanted.Value))
        {
            return;
        }
        else if (AreSame(kind, change.Key, current.Value, change.Before))
        {
            _written[entry] = wanted;
        }
        else
        {
            _contested[entry] = [current, wanted];
        }
    }

    private bool AreSame(EntryKind kind, EntryKey key, byte[]? left, byte[]? right)
    {
        if (left is null == right is null && left.AsSpan().SequenceEqual(right))
            return true;
        return Closeness.Of(kind, Decode(left), Decode(right), policy.TreatmentOf(kind, key.Bytes)) == Verdict.Equal;
    }

    /// <summary>A file that layers change in nothing but what it holds, and of which every one of them says which settings, is theirs setting by setting.</summary>
    private void ShareFiles()
    {
        foreach (var (kind, file) in _contested.Keys.ToList())
        {
            if (kind == EntryKind.File)
                TryShare(file);
        }

        // Who came last may have put settings between those of the others.
        _shared.ForEach(MergeOrder);
    }

    private bool TryShare(EntryKey file)
    {
        var entry = (EntryKind.File, file);
        if (!_contested.TryGetValue(entry, out var sides))
            return false;

        var first = Decode(sides[0].Value);
        if (!sides.TrueForAll(side => Closeness.DifferInContentOnly(first, Decode(side.Value)) && TellsSettings(side.Layer, file)))
            return false;

        _contested.Remove(entry);
        _written[entry] = new Write(sides[^1].Layer, ContentBySettings.Of(first!).Encode());
        if (!_shared.Contains(file))
            _shared.Add(file);
        MergeOrder(file);
        return true;
    }

    /// <summary>
    /// Of a file that layers share, each says where its own settings stand: they are put there one layer after the other. Where that
    /// can't be told, the order is as the last layer has it, which none with the settings of all has: it stays a deviation until it is approved.
    /// </summary>
    private void MergeOrder(EntryKey file)
    {
        var entry = (EntryKind.Setting, SettingKey.OrderOf(file));
        if (!_contested.Remove(entry, out var sides))
            return;

        var merged = sides[0].Value;
        foreach (var side in sides.Skip(1))
        {
            var before = TreeReader.FindValue(nodes, layers[side.Layer].Before.Setting, entry.Item2);
            merged = SettingOrder.Of(merged)?.With(SettingOrder.Of(before), SettingOrder.Of(side.Value)) is { } order ? order.Encode() : side.Value;
        }

        _written[entry] = new Write(sides[^1].Layer, merged);
    }

    private bool TellsSettings(int layer, EntryKey file)
    {
        var settings = SettingKey.PrefixOf(file);
        return layer == Base
            ? HasAny(start.Roots.Setting)
            : HasAny(layers[layer].After.Setting) || HasAny(layers[layer].Before.Setting);

        bool HasAny(Digest root) => TreeReader.Entries(nodes, root, settings).Any();
    }

    private void Settle()
    {
        foreach (var (entry, sides) in _contested.ToList())
        {
            if (Winner(entry, sides) is not { } won)
                continue;
            _contested.Remove(entry);
            _written[entry] = won;
        }
    }

    private void AddConflicts()
    {
        foreach (var ((kind, key), sides) in _contested.OrderBy(contested => contested.Key))
        {
            _conflicts.Add(new LayerConflict(
                (ConflictKind)((int)kind - 1), KeyText.Format(kind, key.Bytes), (kind, key), [.. sides.Select(side => Side(side.Layer, Decode(side.Value)))]));
        }
    }

    /// <summary>The side that a resolution says is right; null: none says so.</summary>
    private Write? Winner((EntryKind Kind, EntryKey Key) entry, List<Write> sides)
    {
        if (resolutions.Count == 0)
            return null;

        var text = KeyText.Format(entry.Kind, entry.Key.Bytes);
        var won = resolutions.TryGetValue(text, out var winner) ? sides.FindLast(side => LineOf(side.Layer) == winner) : null;
        if (won is not null)
            _settled[text] = $"as {Side(won.Layer).Layer} has it, and not as {string.Join(" or ", sides.Where(side => side != won).Select(side => Side(side.Layer).Layer))}";
        return won;
    }

    private void AddPortConflicts()
    {
        var claimed = layers.SelectMany((layer, index) => layer.Claims.Ports.Distinct().Select(port => (Port: port, Layer: index)));
        foreach (var port in claimed.GroupBy(claim => claim.Port, claim => claim.Layer).Where(port => port.Count() > 1).OrderBy(port => port.Key, StringComparer.Ordinal))
        {
            var key = "port:" + port.Key;
            if (resolutions.TryGetValue(key, out var winner) && port.Any(layer => LineOf(layer) == winner))
                _settled[key] = $"left to {winner}; nothing else changes, for a claim writes nothing: that the others do not listen there is up to their settings";
            else
                _conflicts.Add(new LayerConflict(ConflictKind.Port, key, null, [.. port.Select(layer => Side(layer, null, port.Key))]));
        }
    }

    /// <summary>Whose an entry is that two claim alike is told by their order alone.</summary>
    private IEnumerable<string> EqualClaims() => layers
        .SelectMany((layer, index) => layer.Claims.Owns.Select(claim => claim.Text).Distinct().Select(claim => (Claim: claim, Layer: index)))
        .GroupBy(claim => claim.Claim, claim => layers[claim.Layer], StringComparer.Ordinal)
        .Where(claim => claim.Count() > 1)
        .OrderBy(claim => claim.Key, StringComparer.Ordinal)
        .Select(claim => $"{claim.Key} is claimed by {string.Join(" and ", claim.Select(layer => $"{layer.Name} of {layer.Owner}"))} alike; what none of them writes there counts as that of {claim.Last().Name}, the last of them.");

    private ConflictSide Side(int layer, Fingerprint? entry = null, string? text = null) => layer == Base
        ? new ConflictSide(start.Name, start.Owner, entry, text)
        : new ConflictSide(layers[layer].Name.ToString(), layers[layer].Owner, entry, text);

    private string LineOf(int layer) => layer == Base ? LineOf(start.Name) : layers[layer].Name.Line;

    private static string LineOf(string name) => name.Split(':')[0];

    private static Fingerprint? Decode(byte[]? value) => value is null ? null : Fingerprint.Decode(value);

    /// <param name="Layer">Its index; <see cref="Base"/>: nobody's.</param>
    /// <param name="Value">Null: the entry is not there.</param>
    private sealed record Write(int Layer, byte[]? Value);
}
