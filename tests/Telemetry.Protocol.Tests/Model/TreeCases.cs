using FsCheck;
using FsCheck.Fluent;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>Families of keys, each made to strain another rule of the tree.</summary>
public enum KeyFamily
{
    /// <summary>Paths with long common prefixes.</summary>
    Paths,

    /// <summary>Every short string of a few telling bytes, so that keys are prefixes of each other; the empty key too.</summary>
    Dense,

    /// <summary>No natural boundary among the leaves: runs are cut by their number of entries.</summary>
    Unbounded,

    /// <summary>The same with keys of 1 to 4 KiB: runs are cut by their bytes.</summary>
    UnboundedLong,

    /// <summary>A natural boundary on two levels behind every key: leaves of one entry, interior nodes of one child.</summary>
    Bounded,
}

/// <summary>Puts or removes a stretch of one family's keys.</summary>
/// <param name="Value">0 removes; another number is another value.</param>
public sealed record Stretch(KeyFamily Family, int Start, int Count, int Step, int Value)
{
    internal IEnumerable<TreeEdit> Edits()
    {
        var keys = TreeCases.Keys(Family);
        for (var i = 0; i < Count; i++)
        {
            var index = (Start + i * Step) % keys.Length;
            yield return new TreeEdit(keys[index], Value == 0 ? null : TreeCases.ValueOf(Value + i % 3));
        }
    }
}

/// <summary>A tree to begin with, and what is done to it.</summary>
public sealed record TreeCase(IReadOnlyList<Stretch> Start, IReadOnlyList<Stretch> Changes)
{
    internal EntryMap StartMap() => new EntryMap().With(Start.SelectMany(stretch => stretch.Edits()));

    /// <summary>As they were made, keys repeated and in any order.</summary>
    internal List<TreeEdit> SingleEdits() => [.. Changes.SelectMany(stretch => stretch.Edits())];

    /// <summary>The last edit of each key, in key order.</summary>
    internal TreeEdit[] Batch()
    {
        var last = new SortedDictionary<byte[], TreeEdit>(EntryMap.ByteOrder);
        foreach (var edit in SingleEdits())
            last[edit.Key] = edit;
        return [.. last.Values];
    }

    public override string ToString() =>
        $"start [{string.Join(", ", Start)}], changes [{string.Join(", ", Changes)}]";
}

/// <summary>Makes tree cases, and smaller ones of one that fails.</summary>
public static class TreeCases
{
    private static readonly Dictionary<KeyFamily, byte[][]> Families = new()
    {
        [KeyFamily.Paths] = [.. Enumerable.Range(0, 1500).Select(i => Some.Utf8($"usr\0lib\0m{i / 30:d2}\0f{i % 30}"))],
        [KeyFamily.Dense] = Dense(),
        [KeyFamily.Unbounded] = Some.KeysWithoutBoundary("usr\0lib\0n", 600),
        [KeyFamily.UnboundedLong] =
        [
            .. Some.KeysWithoutBoundary("usr\0long", 40, new string('x', 1000)),
            .. Some.KeysWithoutBoundary("usr\0longer", 20, new string('y', EntryKey.MaxLength - 16)),
        ],
        [KeyFamily.Bounded] =
        [
            .. Enumerable.Range(0, int.MaxValue)
                .Select(i => Some.Utf8($"usr\0lib\0o{i:d6}"))
                .Where(key => Boundary.IsNatural(key, 0) && Boundary.IsNatural(key, 1))
                .Take(60),
        ],
    };

    public static Arbitrary<TreeCase> Arbitrary() => Arb.From(Case(), Shrink);

    internal static byte[][] Keys(KeyFamily family) => Families[family];

    /// <summary>Every eighth value is as long as values get.</summary>
    internal static byte[] ValueOf(int number) =>
        number % 8 == 7
            ? [0, 0x41, .. (ReadOnlySpan<byte>)[0xfc, 0x03], .. new byte[507], (byte)number]
            : new Fingerprint { Type = FileType.File, Size = (ulong)number }.Encode();

    private static Gen<TreeCase> Case() =>
        from start in Stretches(largest: 400)
        from changes in Gen.OneOf(Stretches(largest: 2), Stretches(largest: 60), Stretches(largest: 400))
        select new TreeCase(start, changes);

    private static Gen<List<Stretch>> Stretches(int largest) =>
        from count in Gen.Choose(0, 4)
        from stretches in Gen.ListOf(Stretch(largest), count)
        select stretches.ToList();

    private static Gen<Stretch> Stretch(int largest) =>
        from family in Gen.Elements(Enum.GetValues<KeyFamily>())
        from start in Gen.Choose(0, Families[family].Length - 1)
        from count in Gen.Choose(1, largest)
        from step in Gen.Elements(1, 1, 2, 7)
        from value in Gen.Frequency((1, Gen.Constant(0)), (2, Gen.Choose(1, 9)))
        select new Stretch(family, start, count, step, value);

    private static IEnumerable<TreeCase> Shrink(TreeCase wrong) =>
        Shrink(wrong.Start).Select(start => wrong with { Start = start })
            .Concat(Shrink(wrong.Changes).Select(changes => wrong with { Changes = changes }));

    private static IEnumerable<IReadOnlyList<Stretch>> Shrink(IReadOnlyList<Stretch> stretches)
    {
        for (var i = 0; i < stretches.Count; i++)
        {
            var stretch = stretches[i];
            yield return [.. stretches.Take(i), .. stretches.Skip(i + 1)];
            if (stretch.Count > 1)
            {
                yield return With(stretches, i, stretch with { Count = stretch.Count / 2 });
                yield return With(stretches, i, stretch with { Count = stretch.Count - 1 });
                yield return With(stretches, i, stretch with { Start = stretch.Start + stretch.Step, Count = stretch.Count - 1 });
            }
        }
    }

    private static Stretch[] With(IReadOnlyList<Stretch> stretches, int index, Stretch stretch)
    {
        var copy = stretches.ToArray();
        copy[index] = stretch;
        return copy;
    }

    private static byte[][] Dense()
    {
        byte[] alphabet = [0x00, 0x01, (byte)'/', (byte)'a', 0x80, 0xff];
        var keys = new List<byte[]> { Array.Empty<byte>() };
        for (var i = 0; keys.Count < 300; i++)
            keys.AddRange(alphabet.Select(value => (byte[])[.. keys[i], value]));
        return [.. keys];
    }
}
