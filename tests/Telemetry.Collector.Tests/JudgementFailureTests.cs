using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests;

/// <summary>An instance whose judgement fails keeps no other from its own, is tried again ever more rarely, and says so.</summary>
public sealed class JudgementFailureTests : IDisposable
{
    private readonly CountedErrors _log = new();
    private readonly Collector _collector;

    public JudgementFailureTests() => _collector = new Collector(_log);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Judgement_ThatFails_KeepsNoNeighbourFromItsOwn_AndIsMadeUpFor()
    {
        OnAVersionThatIsToBeRetired();
        Break();

        _collector.Baselines.Retire(new VersionName("shop", "1"));
        var early = Deviating();
        var told = Comparison("i-2");
        Repair();
        _collector.Pipeline.JudgePending();
        var beforeItsTime = Deviating();
        _collector.Time.Advance(PendingTable.ShortestPause);
        _collector.Pipeline.JudgePending();

        Assert.Equal(["i-1", "i-3"], early);
        Assert.Equal(early, beforeItsTime);
        Assert.Equal("The judgement failed, and what is open stays so: SQLite Error 19: 'not today'. It failed 1 time, and is tried again at 2026-03-03 10:01:00Z.", told);
        Assert.Equal(["i-1", "i-2", "i-3"], Deviating());
        Assert.Equal("", Comparison("i-2"));
        Assert.Null(Pending("i-2"));
    }

    [Fact]
    public void Judgement_ThatFailsForGood_IsTriedTenTimesInFourHours_AndLoggedTwice()
    {
        OnAVersionThatIsToBeRetired();
        Break();
        _collector.Baselines.Retire(new VersionName("shop", "1"));
        var tries = new List<int>();

        for (var minute = 1; minute <= 24 * 60; minute++)
        {
            var before = Pending("i-2")!.Attempts;
            _collector.Time.Advance(TimeSpan.FromMinutes(1));
            _collector.Pipeline.JudgePending();
            _collector.Pipeline.Reevaluate(["i-2"]);
            if (Pending("i-2")!.Attempts > before)
                tries.Add(minute);
        }

        Assert.Equal([1, 3, 7, 15, 31, 63, 123, 183, 243], tries);
        Assert.Equal(2, _log.Count);
        Assert.Contains("It failed 10 times, and is tried again with the next state of the instance", Comparison("i-2"), StringComparison.Ordinal);
    }

    [Fact]
    public void Judgement_ThatWasGivenUp_IsTriedWithTheNextDecision()
    {
        OnAVersionThatIsToBeRetired();
        Break();
        _collector.Baselines.Retire(new VersionName("shop", "1"));
        GiveUp();
        Repair();

        _collector.Baselines.SetPolicy("shop", "default");

        Assert.Contains("i-2", Deviating());
    }

    [Fact]
    public async Task Judgement_ThatWasGivenUp_IsTriedWhenTheCollectorStarts()
    {
        OnAVersionThatIsToBeRetired();
        Break();
        _collector.Baselines.Retire(new VersionName("shop", "1"));
        GiveUp();
        Repair();

        _collector.Restart();
        using var timer = new DueTimer(_collector.Store, _collector.Pipeline, _collector.Feed, _collector.Time, NullLogger<DueTimer>.Instance);
        await timer.StartAsync(Cancellation);
        await Eventually.True(() => Deviating().Contains("i-2"), "it to be judged", Cancellation);

        Assert.Null(Pending("i-2"));
        await timer.StopAsync(Cancellation);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Instance_WhoseNodeIsDamagedOrMissing_IsJudgedWithoutANewHeadWhenItIsThereAgain(bool isMissing)
    {
        OnAVersionThatIsToBeRetired();
        _collector.Alter("CREATE TABLE saved AS SELECT * FROM nodes WHERE digest = (SELECT h.file_root FROM heads h JOIN instances i ON i.head_id = h.id WHERE i.id = 'i-2')");
        _collector.Alter(isMissing ? "DELETE FROM nodes WHERE id IN (SELECT id FROM saved)" : "UPDATE nodes SET body = zeroblob(length(body)) WHERE id IN (SELECT id FROM saved)");

        _collector.Baselines.Retire(new VersionName("shop", "1"));
        var early = Deviating();
        var told = Comparison("i-2");
        _collector.Alter("INSERT OR REPLACE INTO nodes SELECT * FROM saved");
        _collector.Time.Advance(PendingTable.ShortestPause);
        _collector.Pipeline.JudgePending();

        Assert.Equal(["i-1", "i-3"], early);
        Assert.StartsWith("Node ", told, StringComparison.Ordinal);
        Assert.EndsWith("It failed 1 time, and is tried again at 2026-03-03 10:01:00Z.", told, StringComparison.Ordinal);
        Assert.Equal(1, _log.Count);
        Assert.Equal(["i-1", "i-2", "i-3"], Deviating());
        Assert.Equal("", Comparison("i-2"));
    }

    [Fact]
    public async Task Waiver_OnAnInstanceThatWaitsForAnotherTry_EndsAtItsTime_AndNothingSpins()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        _collector.Decisions.Waive(new DecisionScope([], InstanceId: "i-1"), Some.Time + TimeSpan.FromSeconds(10), "anna", "for now");
        _collector.Alter("DELETE FROM nodes WHERE digest = (SELECT file_root FROM baselines)");
        instance.Report();
        using var timer = new DueTimer(_collector.Store, _collector.Pipeline, _collector.Feed, _collector.Time, NullLogger<DueTimer>.Instance);
        await timer.StartAsync(Cancellation);

        _collector.Time.Advance(TimeSpan.FromSeconds(11));
        await Eventually.True(() => _collector.Deviations().Single().State == DeviationState.Open, "the waiver to end", Cancellation);

        Assert.NotNull(Pending("i-1"));
        Assert.Null(_collector.Store.Read(transaction => transaction.Deviations.NextEndOfDecision(_collector.Time.GetUtcNow())));
        await timer.StopAsync(Cancellation);
    }

    [Fact]
    public void Head_OfAnInstanceThatCantBeJudged_IsAcceptedAndTriedAgain()
    {
        var instance = new CertifiedInstance(_collector);
        _collector.Alter("CREATE TABLE saved AS SELECT * FROM nodes WHERE digest = (SELECT file_root FROM baselines)");
        _collector.Alter("DELETE FROM nodes WHERE id IN (SELECT id FROM saved)");

        instance.Tamper();
        var early = Deviating();
        _collector.Alter("INSERT INTO nodes (digest, level, first_key, last_key, is_sealed, can_be_root, entries, body) SELECT digest, level, first_key, last_key, is_sealed, can_be_root, entries, body FROM saved");
        _collector.Time.Advance(PendingTable.ShortestPause);
        _collector.Pipeline.JudgePending();

        Assert.Empty(early);
        Assert.Equal(["i-1"], Deviating());
    }

    [Fact]
    public void Forget_WhenANodeIsMissing_RemovesNoneAndSaysSo()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        instance.Tamper("again");
        _collector.Alter("DELETE FROM heads WHERE id = 2");
        _collector.Alter("DELETE FROM nodes WHERE digest = (SELECT file_root FROM baselines)");
        var before = Nodes();
        var log = new CountedErrors<HistoryRetention>();
        var retention = new HistoryRetention(_collector.Store, [], Collector.StoreOptions, _collector.Time, log);

        retention.Forget(Cancellation);
        retention.Forget(Cancellation);

        Assert.Equal(before, Nodes());
        Assert.Equal(1, log.Count);
    }

    /// <summary>Three instances like shop:1, of a line whose newest is shop:2, which differs: without shop:1 all three deviate.</summary>
    private void OnAVersionThatIsToBeRetired()
    {
        for (var i = 1; i <= 3; i++)
        {
            var instance = new CertifiedInstance(_collector, $"i-{i}");
            instance.Tree[$"/srv/own/{i}"] = Some.File();
            _collector.Baselines.SetPolicy("shop", Lax());
            instance.Report();
        }

        var tree = FileTree.OfSize(500);
        tree["/srv/2/2"] = Some.File("newer");
        new FakeAgent(_collector.NewStream(), "newer").Hello().Report(tree);
        _collector.Baselines.Capture(new VersionName("shop", "2"), "newer");
        Assert.Empty(Deviating());
    }

    /// <summary>So that each instance has a root of its own, and none deviates for that.</summary>
    private string Lax()
    {
        _collector.PolicyRegistry.Set("name = \"lax\"\n[[rules]]\nmatch = [\"/srv/own\"]\ntreat = \"ignore\"", "lax.toml", "setup");
        return "lax";
    }

    private void Break() => _collector.Alter(
        "CREATE TRIGGER broken BEFORE INSERT ON deviations WHEN NEW.instance_id = 'i-2' BEGIN SELECT RAISE(ABORT, 'not today'); END");

    private void Repair() => _collector.Alter("DROP TRIGGER broken");

    private void GiveUp()
    {
        while (Pending("i-2")!.DueAt is not null)
        {
            _collector.Time.Advance(PendingTable.LongestPause);
            _collector.Pipeline.JudgePending();
        }
    }

    private List<string> Deviating() => [.. _collector.Deviations(openOnly: true).Select(deviation => deviation.InstanceId).Distinct().Order()];

    private string Comparison(string id) => _collector.Store.Read(transaction => transaction.Instances.Find(id))!.Comparison;

    private PendingJudgement? Pending(string id) => _collector.Store.Read(transaction => transaction.Pending.Find(id));

    private int Nodes() => _collector.Store.Read(transaction => transaction.Nodes.Page(0, long.MaxValue, int.MaxValue)).Count;

    private class CountedErrors<T> : ILogger<T>
    {
        public int Count { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error)
                Count++;
        }
    }

    private sealed class CountedErrors : CountedErrors<Pipeline>;
}
