using FsCheck.Xunit;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Layers;

/// <summary>What holds for any layers on any base.</summary>
[Properties(MaxTest = 100, QuietOnSuccess = true)]
public sealed class CompositionPropertyTests
{
    private static readonly string[] Names =
        [.. Enumerable.Range(0, 40).Select(i => $"/srv/{i % 5}/{i}"), .. Enumerable.Range(0, 10).Select(i => $"package:dpkg/p{i}:amd64")];

    [Property]
    public void Layer_OnTheBaseItWasMadeOf_GivesTheStateItWasMadeOf(int seed)
    {
        var random = new Random(seed);
        var start = RandomTree(random);
        var end = Changed(start, random, 20);
        var kit = new Kit(start);

        var composed = kit.Compose(kit.Layer("one", kit.Start.Roots, kit.Keep(end)));

        Assert.Empty(composed.Conflicts);
        Assert.Equal(kit.Keep(end), composed.Roots);
    }

    [Property]
    public void Compose_OfTheSameLayers_IsTheSame(int seed)
    {
        var (kit, one, other) = TwoLayers(seed);

        var first = kit.Compose(one, other);
        var second = kit.Compose(one, other);

        Assert.Equal(first.Roots, second.Roots);
        Assert.Equal(first.Conflicts.Select(Described), second.Conflicts.Select(Described));
    }

    [Property]
    public void Conflicts_AreTheSameInEitherOrder(int seed)
    {
        var (kit, one, other) = TwoLayers(seed);

        var forth = kit.Compose(one, other);
        var back = kit.Compose(other, one);

        Assert.Equal(forth.Conflicts.Select(Described), back.Conflicts.Select(Described));
        if (forth.Conflicts.Count == 0)
            Assert.Equal(forth.Roots, back.Roots);
    }

    [Property]
    public void Conflicts_AreTheKeysThatBothWriteDifferently(int seed)
    {
        var (kit, one, other) = TwoLayers(seed);
        var written = one.Changes(kit.Nodes).ToDictionary(change => (change.Kind, change.Change.Key), change => change.Change.After);
        var expected = other.Changes(kit.Nodes)
            .Where(change => written.TryGetValue((change.Kind, change.Change.Key), out var after) && !change.Change.After.AsSpan().SequenceEqual(after))
            .Select(change => KeyText.Format(change.Kind, change.Change.Key.Bytes));

        Assert.Equal(expected, kit.Compose(one, other).Conflicts.Select(conflict => conflict.Key));
    }

    [Property]
    public void Accounts_SettledUntilNothingIsLeft_HaveEachNumberForOneSide_InEitherOrder(int seed)
    {
        var random = new Random(seed);
        var kit = new Kit(WithAccounts(new FileTree(), random, "base", 4));
        var one = kit.Layer("one", tree => WithAccounts(tree, random, "one", 3));
        var other = kit.Layer("other", tree => WithAccounts(tree, random, "other", 3));
        var resolutions = new Dictionary<string, string>();

        // What is settled may bring up the next: a number that nobody knew an account would have.
        Composed forth;
        while ((forth = kit.Compose(resolutions, one, other)).Conflicts is [var conflict, ..])
            resolutions.Add(conflict.Key, conflict.Lines.ElementAt(random.Next(conflict.Lines.Count())));
        var back = kit.Compose(resolutions, other, one);

        Assert.Empty(back.Conflicts);
        Assert.Equal(forth.Roots, back.Roots);
        Assert.Null(forth.ProblemOf(resolutions));
        Assert.Equal(forth.Roots, kit.Compose(resolutions, one, other).Roots);
        foreach (var number in Numbers(kit, forth.Roots).GroupBy(account => account.Number).Where(number => number.Count() > 1))
        {
            var right = resolutions.GetValueOrDefault($"account:/etc/passwd#{number.Key}", "base");
            Assert.All(number, account => Assert.True(Has(right, account.Setting), $"{account.Setting} is not of {right}"));
        }

        bool Has(string side, EntryKey setting) => side == "base"
            ? TreeReader.FindValue(kit.Nodes, kit.Start.Roots.Setting, setting) is not null
            : (side == "one" ? one : other).Writes(kit.Nodes, EntryKind.Setting, setting);
    }

    [Property]
    public void AccountConflicts_AreTheSameInEitherOrder(int seed)
    {
        var random = new Random(seed);
        var kit = new Kit(WithAccounts(new FileTree(), random, "base", 4));
        var one = kit.Layer("one", tree => WithAccounts(tree, random, "one", 3));
        var other = kit.Layer("other", tree => WithAccounts(tree, random, "other", 3));

        Assert.Equal(kit.Compose(one, other).Conflicts.Select(Described), kit.Compose(other, one).Conflicts.Select(Described));
    }

    /// <summary>Some accounts of its own, and one of another, of few numbers.</summary>
    private static FileTree WithAccounts(FileTree tree, Random random, string name, int count)
    {
        tree["/etc/passwd"] = Some.File(name);
        for (var i = 0; i < count; i++)
        {
            var account = i == 0 && random.Next(3) == 0 ? "shared" : $"{name}-{i}";
            tree.Setting($"/etc/passwd#{account}/uid", $"{random.Next(6)}").Setting($"/etc/passwd#{account}/shell", $"{random.Next(2)}");
        }

        return tree;
    }

    private static IEnumerable<(EntryKey Setting, string Number)> Numbers(Kit kit, Roots roots) =>
        TreeReader.Entries(kit.Nodes, roots.Setting)
            .Where(entry => KeyText.Format(EntryKind.Setting, entry.Key.Bytes).EndsWith("/uid", StringComparison.Ordinal))
            .Select(entry => (entry.Key, entry.Fingerprint.Value!.ToString()!));

    private static (Kit Kit, Layer One, Layer Other) TwoLayers(int seed)
    {
        var random = new Random(seed);
        var start = RandomTree(random);
        var kit = new Kit(start);
        return (
            kit,
            kit.Layer("one", kit.Start.Roots, kit.Keep(Changed(start, random, 15))),
            kit.Layer("other", kit.Start.Roots, kit.Keep(Changed(start, random, 15))));
    }

    private static FileTree RandomTree(Random random) => Changed(new FileTree(), random, 60);

    private static FileTree Changed(FileTree tree, Random random, int changes)
    {
        var changed = tree.Copy();
        for (var i = 0; i < changes; i++)
        {
            var name = Names[random.Next(Names.Length)];
            var content = $"{random.Next(4)}";
            changed.Put(name, random.Next(4) == 0 ? null : name[0] == '/' ? Some.File(content) : Some.Package(content));
        }

        return changed;
    }

    /// <summary>Without the order of its sides.</summary>
    private static string Described(LayerConflict conflict) =>
        $"{conflict.Kind} {conflict.Key}: {string.Join(", ", conflict.Sides.Select(side => $"{side.Layer} {side.Entry} {side.Text}").Order(StringComparer.Ordinal))}";
}
