using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Gaps of one pass: sorted, none below another, and never more than a head may carry.</summary>
internal sealed class GapList(EntryKind kind, int limit = 1000)
{
    // With those of the other kinds, a head stays below the 1 MiB that the collector takes.
    private const int MaxBytes = 128 * 1024;

    private readonly SortedDictionary<EntryKey, (string Reason, bool IsRefused)> _gaps = [];

    /// <summary>These gaps, brought into that form.</summary>
    public static IReadOnlyList<Gap> Of(EntryKind kind, IEnumerable<Gap> gaps)
    {
        var list = new GapList(kind);
        foreach (var gap in gaps)
            list.Add(gap.Prefix, gap.Reason, gap.IsRefused);
        return list.Build();
    }

    public void Add(EntryKey prefix, string reason, bool isRefused = false)
    {
        _gaps.TryAdd(prefix, (reason, isRefused));

        // Now and then, so that a tree full of gaps takes no memory to speak of.
        if (_gaps.Count > 4 * limit)
            Shorten();
    }

    public IReadOnlyList<Gap> Build()
    {
        Shorten();
        return [.. _gaps.Select(gap => new Gap(kind, gap.Key, gap.Value.Reason) { IsRefused = gap.Value.IsRefused })];
    }

    /// <summary>Too many gaps become fewer and wider ones: more is called unknown than is, never less.</summary>
    private void Shorten()
    {
        DropCovered();
        while (_gaps.Count > limit || _gaps.Sum(gap => gap.Key.Length + gap.Value.Reason.Length) > MaxBytes)
        {
            var depth = _gaps.Keys.Max(Depth);
            foreach (var (prefix, (reason, _)) in _gaps.Where(gap => Depth(gap.Key) == depth).ToList())
            {
                _gaps.Remove(prefix);
                _gaps.TryAdd(Parent(prefix), (reason, false));
            }

            DropCovered();
        }
    }

    private void DropCovered()
    {
        EntryKey? last = null;
        foreach (var prefix in _gaps.Keys.ToList())
        {
            if (last is { } above && prefix.IsUnder(above))
                _gaps.Remove(prefix);
            else
                last = prefix;
        }
    }

    private static int Depth(EntryKey key) => key.IsRoot ? 0 : key.Bytes.Count(EntryKey.Separator) + 1;

    private static EntryKey Parent(EntryKey key) =>
        new(key.Bytes[..Math.Max(key.Bytes.LastIndexOf(EntryKey.Separator), 0)]);
}
