using Dapper;
using FsCheck.Xunit;
using Microsoft.Data.Sqlite;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Baselines;

public sealed class NearestBaselineTests : IDisposable
{
    private readonly Collector _collector = new();
    private ulong _sequence;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public async Task Unknown_Instance_IsNearestToTheLineItDiffersFromLeast_AsBindingShows()
    {
        Certify("shop:1", Changed(40));
        Certify("shop:2", Changed(3));
        Certify("db:1", Changed(7));
        Report("i-1", FileTree.OfSize(500));

        var nearest = (await Show("i-1")).Nearest;

        Assert.Equal(("shop:2", 3UL), (nearest.Baseline, nearest.Differences));
        _collector.Baselines.Bind(Some.Binding(Selector.Instance, "i-1"));
        Assert.Equal(3, _collector.Deviations(openOnly: true).Count);
        Assert.Null((await Show("i-1")).Nearest);
    }

    [Fact]
    public void Instance_LikeALine_HasNoDifference_AndOfTwoItIsTheNewer()
    {
        Certify("shop:1", FileTree.OfSize(500));
        Certify("other:1", Changed(1));
        Certify("again:1", FileTree.OfSize(500));

        Assert.Equal(new NearestBaseline(Name("again:1"), 0), Nearest(FileTree.OfSize(500)));
    }

    [Fact]
    public async Task Instance_WithoutLinesOrHead_HasNoNearest()
    {
        new FakeAgent(_collector.NewStream(), "i-1").Hello();
        Assert.Null((await Show("i-1")).Nearest);
        Report("i-1", FileTree.OfSize(500));
        Assert.Null((await Show("i-1")).Nearest);
    }

    [Fact]
    public void Line_ThatSaysLess_DoesNotWinByThat()
    {
        Certify("shop:1", Changed(2));
        Certify("narrow:1", new FileTree(), Some.Coverage with { Gaps = [new Gap(EntryKind.File, EntryKey.OfPath("/srv"), "it could not be read")] });

        Assert.Equal(new NearestBaseline(Name("shop:1"), 1), Nearest(Changed(1)));
    }

    [Fact]
    public void Version_ThatIsNotWhatWasSigned_IsNotConcludedFrom()
    {
        Certify("forged:1", FileTree.OfSize(500));
        Certify("shop:1", Changed(1));
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_collector.DataDirectory, "state.db")}");
        connection.Execute("UPDATE baselines SET owner = 'mallory' WHERE name = 'forged'");

        Assert.Equal(new NearestBaseline(Name("shop:1"), 1), Nearest(FileTree.OfSize(500)));
    }

    [Fact]
    public void Line_IsComparedAsItsPolicySays()
    {
        Certify("strict:1", Changed(5));
        Certify("lenient:1", Changed(50));
        _collector.PolicyRegistry.Set("name = \"lenient\"\n[[rules]]\nmatch = [\"/srv\"]\ntreat = \"presence\"", "test", "test");
        _collector.Baselines.SetPolicy("lenient", "lenient");

        Assert.Equal(new NearestBaseline(Name("lenient:1"), 0), Nearest(FileTree.OfSize(500)));
    }

    [Property(MaxTest = 20, QuietOnSuccess = true)]
    public void Nearest_OfAnyLines_IsTheOneWithTheFewestDifferences(int seed)
    {
        using var tests = new NearestBaselineTests();
        var random = new Random(seed);
        var differences = Enumerable.Range(0, 5).Select(line => (Name: Name($"line{line}:1"), Count: random.Next(6))).ToList();
        foreach (var (name, count) in differences)
            tests.Certify(name.ToString(), Changed(count));

        var fewest = differences.Where(line => line.Count == differences.Min(other => other.Count)).Last();

        Assert.Equal(new NearestBaseline(fewest.Name, fewest.Count), tests.Nearest(FileTree.OfSize(500)));
    }

    private static VersionName Name(string text) => VersionName.TryParse(text)!;

    /// <summary>A tree that differs in so many entries from one that is as it was made.</summary>
    private static FileTree Changed(int count)
    {
        var tree = FileTree.OfSize(500);
        for (var i = 0; i < count; i++)
            tree[$"/srv/{i % 97}/{i}"] = Some.File("changed");
        return tree;
    }

    private void Certify(string name, FileTree tree, Coverage? coverage = null)
    {
        Report("maker", tree, coverage);
        _collector.Baselines.Capture(Name(name), "maker");
    }

    private void Report(string id, FileTree tree, Coverage? coverage = null) =>
        new FakeAgent(_collector.NewStream(), id).Hello().Report(tree, ++_sequence, coverage: coverage);

    private NearestBaseline? Nearest(FileTree tree)
    {
        Report("i-1", tree);
        return _collector.Store.Read(transaction =>
            NearestBaseline.Of(transaction, _collector.Policies, _collector.Seals, transaction.Heads.Newest("i-1")!));
    }

    private Task<V1.GetInstanceResponse> Show(string id) =>
        new FleetGrpcService(_collector.Store, _collector.Policies, _collector.Seals, _collector.Agents, _collector.Time).GetInstance(new V1.GetInstanceRequest { Id = id }, null!);
}
