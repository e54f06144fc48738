using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Layers;

/// <summary>The names of a file's settings in their order, as the entry for it holds them. Pure.</summary>
/// <param name="Names">One that is there several times is told apart by how often it was there before.</param>
internal sealed record SettingOrder(IReadOnlyList<(string Name, int Repeat)> Names)
{
    private const string Divider = ", ";

    /// <param name="value">Null: no order matters.</param>
    /// <returns>Null: it is too long to be kept as text, or a secret.</returns>
    public static SettingOrder? Of(byte[]? value)
    {
        if (value is null)
            return new SettingOrder([]);
        if (Fingerprint.Decode(value).Value is not { } text)
            return null;

        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        return new SettingOrder([.. Encoding.Latin1.GetString(text.Bytes).Split(Divider).Select(name => (name, seen[name] = seen.GetValueOrDefault(name) + 1))]);
    }

    /// <summary>Null: no order matters.</summary>
    public byte[]? Encode() => Names.Count == 0
        ? null
        : new Fingerprint().WithValue(Encoding.Latin1.GetBytes(string.Join(Divider, Names.Select(name => name.Name)))).Encode();

    /// <summary>
    /// This order with what changes from one to another: what is new or moved stands behind what it stood behind there, and behind what
    /// others had put in that place.
    /// </summary>
    /// <returns>Null: one of them is not known.</returns>
    public SettingOrder? With(SettingOrder? before, SettingOrder? after)
    {
        if (before is null || after is null)
            return null;

        var stay = CommonOf(before.Names, after.Names);
        var gone = before.Names.Where(name => !stay.Contains(name)).ToHashSet();
        var names = Names.Where(name => !gone.Contains(name)).ToList();
        var (known, place) = (before.Names.Concat(after.Names).ToHashSet(), 0);
        foreach (var name in after.Names)
        {
            if (names.IndexOf(name) is var found and >= 0)
            {
                place = found + 1;
                continue;
            }

            if (stay.Contains(name))
                continue;
            while (place < names.Count && !known.Contains(names[place]))
                place++;
            names.Insert(place++, name);
        }

        return new SettingOrder(names);
    }

    /// <summary>A longest common subsequence.</summary>
    private static HashSet<(string Name, int Repeat)> CommonOf(IReadOnlyList<(string Name, int Repeat)> left, IReadOnlyList<(string Name, int Repeat)> right)
    {
        var lengths = new int[left.Count + 1, right.Count + 1];
        for (var i = left.Count - 1; i >= 0; i--)
        {
            for (var j = right.Count - 1; j >= 0; j--)
                lengths[i, j] = left[i] == right[j] ? lengths[i + 1, j + 1] + 1 : Math.Max(lengths[i + 1, j], lengths[i, j + 1]);
        }

        var common = new HashSet<(string, int)>();
        for (var (i, j) = (0, 0); i < left.Count && j < right.Count;)
        {
            if (left[i] == right[j])
            {
                common.Add(left[i]);
                (i, j) = (i + 1, j + 1);
            }
            else if (lengths[i + 1, j] >= lengths[i, j + 1])
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return common;
    }
}
