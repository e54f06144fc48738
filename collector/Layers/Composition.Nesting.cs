using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Protocol.Text;

namespace Telemetry.Collector.Layers;

/// <summary>
/// Files below what is no directory, or is gone: one layer makes a directory a link, another puts a file into it, and no machine can have
/// both. A conflict about the upper one of the two; a resolution that names its side drops what is below, one that names the other keeps
/// the directory.
/// </summary>
internal sealed partial class Composition
{
    private void SettleNesting()
    {
        var written = _written.Keys.Where(entry => entry.Kind == EntryKind.File).Select(entry => entry.Key).Order().ToList();
        var inBase = TreeReader.FindValues(nodes, start.Roots.File, written).ToList();
        var obstacles = written.Zip(inBase)
            .Where(file => IsObstacle(_written[(EntryKind.File, file.First)].Value))
            .Select(file => (Key: file.First, WasDirectory: IsDirectory(file.Second)))
            .Concat(ObstaclesInBase(written).Select(file => (file, false)))
            .OrderBy(file => file.Item1)
            .ToList();
        foreach (var (key, wasDirectory) in obstacles)
        {
            // A side of a conflict already, or below one that was settled meanwhile.
            var upper = FileNow(key);
            if (_contested.ContainsKey((EntryKind.File, key)) || !IsObstacle(upper.Value))
                continue;
            var below = Below(key, written, wasDirectory).Where(lower => lower.Write.Layer != upper.Layer).ToList();
            if (below.Count > 0 && !TrySettle(key, upper, below, wasDirectory))
                AddNestingConflict(key, upper, below);
        }
    }

    private static bool IsObstacle(byte[]? value) => Decode(value) is null or { IsStable: true, Type: not FileType.Directory };

    private static bool IsDirectory(byte[]? value) => Decode(value) is { Type: FileType.Directory };

    private Write FileNow(EntryKey key) =>
        _written.GetValueOrDefault((EntryKind.File, key)) ?? new Write(Base, TreeReader.FindValue(nodes, start.Roots.File, key));

    /// <summary>Files of the base that nobody writes, with something written below them.</summary>
    private IEnumerable<EntryKey> ObstaclesInBase(List<EntryKey> written)
    {
        var above = new SortedSet<EntryKey>();
        foreach (var key in written.Where(key => _written[(EntryKind.File, key)].Value is not null))
        {
            for (var end = key.Bytes.LastIndexOf(EntryKey.Separator); end > 0; end = key.Bytes[..end].LastIndexOf(EntryKey.Separator))
            {
                var directory = new EntryKey(key.Bytes[..end]);
                if (_written.ContainsKey((EntryKind.File, directory)) || !above.Add(directory))
                    break;
            }
        }

        return above.Zip(TreeReader.FindValues(nodes, start.Roots.File, above)).Where(file => file.Second is not null && IsObstacle(file.Second)).Select(file => file.First);
    }

    /// <summary>What is there below a file, without what is in conflict itself, and what machines make of other files.</summary>
    private IEnumerable<(EntryKey Key, Write Write)> Below(EntryKey file, List<EntryKey> written, bool wasDirectory)
    {
        var first = written.BinarySearch(file);
        var lower = written.Skip(first < 0 ? ~first : first + 1).TakeWhile(key => key.IsUnder(file)).Where(key => _written.ContainsKey((EntryKind.File, key)));
        var kept = wasDirectory
            ? TreeReader.Entries(nodes, start.Roots.File, file).Select(entry => entry.Key).Where(key => key != file && !_written.ContainsKey((EntryKind.File, key)))
            : [];
        return lower.Concat(kept)
            .Where(key => !_contested.ContainsKey((EntryKind.File, key)) && policy.TreatmentOf(EntryKind.File, key.Bytes) is not (Treatment.Derived or Treatment.Ignore))
            .Select(key => (Key: key, Write: FileNow(key)))
            .Where(entry => entry.Write.Value is not null)
            .OrderBy(entry => entry.Key);
    }

    private bool TrySettle(EntryKey key, Write upper, List<(EntryKey Key, Write Write)> below, bool wasDirectory)
    {
        var text = KeyText.Format(EntryKind.File, key.Bytes);
        if (!resolutions.TryGetValue(text, out var winner))
            return false;

        var sides = string.Join(" and ", below.Select(lower => Side(lower.Write.Layer).Layer).Distinct());
        if (LineOf(upper.Layer) == winner)
        {
            foreach (var (lower, _) in below)
                Drop(lower, upper.Layer);
            _settled[text] = $"as {Side(upper.Layer).Layer} has it; left out: {Counted.Of(below.Count, "file")} of {sides} below it";
            return true;
        }

        if (!wasDirectory || below.All(lower => LineOf(lower.Write.Layer) != winner))
            return false;
        _written.Remove((EntryKind.File, key));
        _settled[text] = $"the directory that {Side(Base).Layer} has, for what {sides} has in it, and not as {Side(upper.Layer).Layer} has it";
        return true;
    }

    /// <summary>A file is not there, nor are its settings.</summary>
    private void Drop(EntryKey file, int by)
    {
        var settings = SettingKey.PrefixOf(file);
        var gone = _written.Keys.Where(entry => entry.Kind == EntryKind.Setting && entry.Key.IsUnder(settings))
            .Concat(TreeReader.Entries(nodes, start.Roots.Setting, settings).Select(entry => (EntryKind.Setting, entry.Key)))
            .Append((EntryKind.File, file))
            .ToHashSet();
        foreach (var entry in gone)
        {
            if (TreeReader.FindValue(nodes, start.Roots[entry.Item1], entry.Item2) is null)
                _written.Remove(entry);
            else
                _written[entry] = new Write(by, null);
        }
    }

    private void AddNestingConflict(EntryKey key, Write upper, List<(EntryKey Key, Write Write)> below)
    {
        var lower = below.DistinctBy(entry => entry.Write.Layer).Select(entry => (
            entry.Write.Layer,
            Side: Side(entry.Write.Layer, null, $"{KeyText.Format(EntryKind.File, entry.Key.Bytes)} in it: {EntryView.Of(EntryKind.File, entry.Key, Decode(entry.Write.Value)!).Summary}")));
        _conflicts.Add(new LayerConflict(
            ConflictKind.File,
            KeyText.Format(EntryKind.File, key.Bytes),
            (EntryKind.File, key),
            [.. lower.Append((upper.Layer, Side(upper.Layer, Decode(upper.Value)))).OrderBy(side => side.Item1).Select(side => side.Item2)]));
    }
}
