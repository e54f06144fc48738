using FsCheck.Xunit;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class FleetSearchTests : IDisposable
{
    private const string Path = "/srv/1/1";

    private readonly Collector _collector = new();
    private readonly Dictionary<string, (FakeAgent Agent, ulong Sequence)> _agents = [];

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void First_OfContentThatVanishedAgain_IsWhereAndWhenItWasFirst()
    {
        Report("i-1", 0, Tree());
        Report("i-1", 10, Tree("evil", "/tmp/x"));
        Report("i-1", 20, Tree());
        Report("i-2", 5, Tree());
        Report("i-2", 30, Tree("evil"));

        var first = First("evil")!;

        Assert.Equal(("i-1", EntryKey.OfPath("/tmp/x"), At(10), At(10).AddSeconds(-10)), (first.InstanceId, first.Key, first.Since, first.After));
        Assert.Equal("i-2", Assert.Single(Now("evil")).InstanceId);
        Assert.Null(First("never"));
    }

    [Fact]
    public void First_OfWhatAnAgentToldLate_IsByWhenItWasSeen()
    {
        Report("i-1", 20, Tree());
        Report("i-1", 30, Tree("evil"));
        Report("i-2", 10, Tree("evil"));

        Assert.Equal(("i-2", At(10), null), First("evil") is { } first ? (first.InstanceId, first.Since, first.After) : default);
    }

    [Fact]
    public void First_OfAKey_IsTheEntryAsItWasThen()
    {
        Report("i-1", 0, Tree());
        Report("i-2", 0, Tree());
        Report("i-2", 10, Tree("a", "/tmp/x"));
        Report("i-1", 20, Tree("b", "/tmp/x"));

        var first = FleetSearch.ForKey(_collector.Store, EntryKind.File, EntryKey.OfPath("/tmp/x"), Budget()).First()!;

        Assert.Equal(("i-2", Some.File("a")), (first.InstanceId, first.Fingerprint));
    }

    [Fact]
    public void After_AStateThatSaidNothingOfIt_IsNotKnown()
    {
        var narrow = Some.Coverage with { Gaps = [new Gap(EntryKind.File, EntryKey.OfPath("/srv"), "it could not be read")] };
        Report("i-1", 0, new FileTree(), narrow);
        Report("i-1", 10, Tree("evil"));

        Assert.Null(First("evil")!.After);
        Assert.Null(Assert.Single(Now("evil")).After);
    }

    [Fact]
    public void Content_OfMoreFilesThanAreAskedFor_IsCutAndSaysSo()
    {
        ReportMany("i-1");
        ReportMany("i-2");
        var (exact, less) = (Budget(2_000), Budget(1_500));

        var all = Search("", exact).Now().ToList();
        var some = Search("", less).Now().ToList();

        Assert.Equal((2_000, 1_500), (all.Count, some.Count));
        Assert.Equal(all[..1_500], some);
        Assert.Null(exact.Exceeded);
        Assert.Equal("There are more than the 1500 shown; ask for more with --limit, or for one instance with --instance.", less.Exceeded);
        Assert.Equal("i-2", Assert.Single(Search("", Budget()).Now("i-2").Select(entry => entry.InstanceId).Distinct()));
    }

    [Fact]
    public void Search_ThatTakesTooLong_IsEndedAndSaysSo()
    {
        ReportMany("i-1");
        ReportMany("i-2");
        var budget = Budget(10_000);

        // Each look at the clock is a second later: it is looked at with every node.
        _collector.Time.AutoAdvanceAmount = TimeSpan.FromSeconds(1);
        var found = Search("", budget).Now().ToList();

        Assert.Empty(found);
        Assert.StartsWith("The search was ended after 60 seconds", budget.Exceeded, StringComparison.Ordinal);
    }

    [Fact]
    public void Search_WhoseClientWent_Ends()
    {
        ReportMany("i-1");
        ReportMany("i-2");
        using var client = new CancellationTokenSource();
        using var found = Search("", Budget(10_000, client.Token)).Now().GetEnumerator();
        Assert.True(found.MoveNext());

        client.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            while (found.MoveNext())
                Assert.Equal("i-1", found.Current.InstanceId);
        });
    }

    [Fact]
    public void Leaves_ThatComeOrAreSweptMeanwhile_AreSeen()
    {
        Report("i-1", 0, Tree("evil"));
        Report("i-2", 0, Tree());
        using var found = Search("evil", Budget()).Now().GetEnumerator();
        Assert.True(found.MoveNext());

        Report("i-2", 10, Tree("evil", "/tmp/x"));
        _collector.Alter("UPDATE collector SET sweeps = sweeps + 1");

        Assert.True(found.MoveNext());
        Assert.Equal(("i-2", EntryKey.OfPath("/tmp/x")), (found.Current.InstanceId, found.Current.Key));
    }

    [Property(MaxTest = 15, QuietOnSuccess = true)]
    public void Search_OfAnyHistories_FindsWhatLookingThroughAllStatesFinds(int seed)
    {
        using var tests = new FleetSearchTests();
        var random = new Random(seed);
        var tree = FileTree.OfSize(60);
        for (var minute = 0; minute < 40; minute++)
        {
            tree[$"/srv/{random.Next(3)}/{random.Next(3)}"] = Some.File($"{random.Next(6)}");
            if (random.Next(3) == 0)
                tree.Remove($"/srv/{random.Next(3)}/{random.Next(3)}");
            tests.Report($"i-{random.Next(3)}", minute, tree);
        }

        for (var content = 0; content < 7; content++)
        {
            Assert.Equal(tests.NaiveFirst($"{content}"), tests.First($"{content}"));
            Assert.Equal(tests.NaiveNow($"{content}"), tests.Now($"{content}"));
            Assert.Equal(tests.NaiveNow($"{content}"), tests.Search($"{content}", tests.Budget(), mostLeaves: 1).Now());
            Assert.Equal(tests.NaiveNow($"{content}").Take(3), tests.Search($"{content}", tests.Budget(3)).Now());
        }
    }

    private static DateTimeOffset At(int minute) => Some.Time.AddMinutes(minute);

    private static FileTree Tree(string? content = null, string path = Path)
    {
        var tree = FileTree.OfSize(60);
        if (content is not null)
            tree[path] = Some.File(content);
        return tree;
    }

    private void ReportMany(string id)
    {
        var tree = new FileTree();
        for (var i = 0; i < 1_000; i++)
            tree[$"/srv/{i}"] = Some.File("");
        Report(id, 0, tree);
    }

    private void Report(string id, int minute, FileTree tree, Coverage? coverage = null)
    {
        var (agent, sequence) = _agents.GetValueOrDefault(id, (new FakeAgent(_collector.NewStream(), id).Hello(), 0UL));
        _agents[id] = (agent, sequence + 1);
        agent.Report(tree, sequence + 1, coverage: coverage, at: At(minute));
    }

    private FoundEntry? First(string content) =>
        Search(content, Budget()).First();

    private List<FoundEntry> Now(string content) =>
        [.. Search(content, Budget()).Now()];

    private FleetSearch Search(string content, SearchBudget budget, int mostLeaves = 1_000) =>
        FleetSearch.ForContent(_collector.Store, Some.File(content).Content!.Value, budget, new ContentLeaves(Some.File(content).Content!.Value) { Most = mostLeaves });

    private SearchBudget Budget(int entries = 1_000, CancellationToken? cancellation = null) =>
        new(entries, _collector.Time, cancellation ?? TestContext.Current.CancellationToken);

    private FoundEntry? NaiveFirst(string content) => _collector.Store.Read(transaction => (
        from id in _agents.Keys
        let heads = transaction.Heads.Backwards(id).Reverse().ToList()
        from index in Enumerable.Range(0, heads.Count)
        from entry in Entries(transaction.Nodes, heads[index], content)
        orderby heads[index].ObservedAt, entry.Key
        select Found(heads[index], entry, isKnown: index > 0)).FirstOrDefault());

    private List<FoundEntry> NaiveNow(string content) => _collector.Store.Read(transaction => (
        from id in _agents.Keys.Order(StringComparer.Ordinal)
        let heads = transaction.Heads.Backwards(id).ToList()
        from entry in Entries(transaction.Nodes, heads[0], content)
        let same = heads.TakeWhile(head => TreeReader.FindValue(transaction.Nodes, head.Roots.File, entry.Key) is { } value && value.AsSpan().SequenceEqual(entry.Value)).ToList()
        select Found(same[^1], entry, isKnown: same.Count < heads.Count)).ToList());

    private static IEnumerable<TreeEntry> Entries(INodeSource nodes, InstanceHead head, string content) =>
        TreeReader.Entries(nodes, head.Roots.File).Where(entry => entry.Fingerprint.Content == Some.File(content).Content);

    private static FoundEntry Found(InstanceHead head, TreeEntry entry, bool isKnown) =>
        new(head.InstanceId, EntryKind.File, entry.Key, entry.Fingerprint, head.ObservedAt, isKnown ? head.ObservedAfter : null);
}
