using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Causes;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Storage;

public sealed class ChangeTableTests : IDisposable
{
    private static readonly Actor Vim = new() { Pid = 1, Executable = "/usr/bin/vim", CommandLine = ["vim", "x"], Uid = 0, LoginUid = 1000 };

    private static readonly PackageTransaction Upgrade =
        new("1", "dpkg", Some.Time, Some.Time.AddSeconds(5), [new PackageTransition("apache2", "amd64", "1", "2")]);

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Add_OverARestart_IsReadBackWithActorAndTransaction()
    {
        Add(Record("/a", 1) with { Transaction = Upgrade, Membership = Membership.Unverified });

        _collector.Restart();

        var stored = Assert.Single(Of("/a"));
        Assert.Equal((Some.Time, Membership.Unverified), (stored.ObservedAt, stored.Membership));
        Assert.Equal([1], stored.Fingerprint);
        Assert.Equivalent(Vim, _collector.Store.Read(transaction => transaction.Actors.Get(stored.ActorId!.Value)));
        Assert.Equivalent(Upgrade, _collector.Store.Read(transaction => transaction.PackageTransactions.Get(stored.TransactionId!.Value)));
    }

    [Fact]
    public void Add_ARecordThatIsThere_ReplacesItAndIsTheNewest()
    {
        Add(Record("/a", 1), Record("/a", 2));

        Add(Record("/a", 1) with { Actor = null });

        Assert.Equal([1, 2], Of("/a").Select(record => record.Fingerprint[0]));
        Assert.Null(Of("/a")[0].ActorId);
        Assert.Equal(Of("/a").Count, Of("/a").Select(record => record.Id).Distinct().Count());
    }

    [Fact]
    public void Add_ManyOfOneKey_KeepsTheNewestFew()
    {
        Add(Record("/a", 1), Record("/b", 1), Record("/a", 2), Record("/a", 3), Record("/a", 4), Record("/a", 5), Record("/a", 6));

        Assert.Equal([6, 5, 4, 3], Of("/a").Select(record => record.Fingerprint[0]));
        Assert.Single(Of("/b"));
    }

    [Fact]
    public void Of_AnotherInstanceOrKind_IsEmpty()
    {
        Add(Record("/a", 1));

        Assert.Empty(_collector.Store.Read(transaction => transaction.Changes.Of("i-2", EntryKind.File, EntryKey.OfPath("/a"))));
        Assert.Empty(_collector.Store.Read(transaction => transaction.Changes.Of("i-1", EntryKind.Setting, EntryKey.OfPath("/a"))));
    }

    [Fact]
    public void Trim_OfTooMany_DropsTheOldestOfThatInstance()
    {
        Add([.. Enumerable.Range(0, 10).Select(i => Record($"/{i}", 1))]);
        _collector.Store.Write(transaction => transaction.Changes.Add("i-2", [Record("/0", 1)], Some.Time));

        _collector.Store.Write(transaction => transaction.Changes.Trim("i-1", max: 3));

        Assert.Equal([7, 8, 9], Enumerable.Range(0, 10).Where(i => Of($"/{i}").Count > 0));
        Assert.Single(_collector.Store.Read(transaction => transaction.Changes.Of("i-2", EntryKind.File, EntryKey.OfPath("/0"))));
    }

    [Fact]
    public void Trim_OfTooManyActors_DropsThoseUnseenLongestAndTheirRecords()
    {
        Add([.. Enumerable.Range(0, 10).Select(i => Record($"/{i}", 1) with { Actor = Vim with { Pid = i } })]);
        Add(Record("/again", 1) with { Actor = Vim with { Pid = 0 } });
        _collector.Store.Write(transaction => transaction.Changes.Add("i-2", [Record("/0", 1) with { Actor = Vim with { Pid = 99 } }], Some.Time));

        _collector.Store.Write(transaction => transaction.Changes.Trim("i-1", maxActors: 3));

        Assert.Equal([0, 8, 9], Enumerable.Range(0, 10).Where(i => Of($"/{i}").Count > 0));
        Assert.Equal(4, _collector.Scalar("SELECT COUNT(*) FROM actors"));
    }

    [Fact]
    public void Trim_AfterOneRecordWasRewrittenByManyActors_LeavesThoseThatAreNamed()
    {
        for (var pid = 0; pid < 20; pid++)
            Add(Record("/a", 1) with { Actor = Vim with { Pid = pid } });
        Assert.Equal(20, _collector.Scalar("SELECT COUNT(*) FROM actors"));

        _collector.Store.Write(transaction => transaction.Changes.Trim("i-1"));

        Assert.Equal(1, _collector.Scalar("SELECT COUNT(*) FROM actors"));
        Assert.Equal(19, _collector.Store.Read(transaction => transaction.Actors.Get(Of("/a")[0].ActorId!.Value)).Pid);
    }

    [Fact]
    public void DeleteBefore_ATime_DropsWhatIsOlderAndThenWhatNothingNames()
    {
        Add(Record("/old", 1));
        _collector.Store.Write(transaction => transaction.Changes.Add("i-1", [Record("/new", 1) with { Actor = Vim with { Pid = 2 } }], Some.Time.AddDays(1)));
        var old = Of("/old")[0].ActorId!.Value;

        var dropped = _collector.Store.Write(transaction => transaction.Changes.DeleteBefore(Some.Time.AddHours(1), 100));
        _collector.Store.Write(transaction => transaction.Actors.DeleteUnused(transaction.Actors.Unused()));

        Assert.Equal(1, dropped);
        Assert.Empty(Of("/old"));
        Assert.Equal(2, _collector.Store.Read(transaction => transaction.Actors.Get(Of("/new")[0].ActorId!.Value)).Pid);
        Assert.Throws<InvalidOperationException>(() => _collector.Store.Read(transaction => transaction.Actors.Get(old)));
    }

    [Fact]
    public void DeleteUnused_OfAnActorThatADeviationNames_KeepsIt()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper(new Changes().By(Changes.Vim).Made(CertifiedInstance.File, Some.File("x")));

        _collector.Store.Write(transaction =>
        {
            transaction.Changes.DeleteBefore(Some.Time.AddDays(1), 100);
            transaction.Actors.DeleteUnused(transaction.Actors.Unused());
            transaction.Causes.DeleteUnused(transaction.Causes.Unused());
        });

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Equal("/usr/bin/vim", _collector.Store.Read(transaction => transaction.Actors.Get(deviation.ActorId!.Value)).Executable);
        Assert.NotNull(_collector.Store.Read(transaction => transaction.Causes.Find(deviation.CauseId!.Value)));
    }

    [Fact]
    public void Drop_OfWhatNothingNamesAnyMore_LeavesWhatIsNamedAgainMeanwhile()
    {
        Add(Record("/old", 1), Record("/again", 1) with { Actor = Vim with { Pid = 2 } });
        var again = Of("/again")[0].ActorId!.Value;
        _collector.Alter("DELETE FROM changes");
        var unused = _collector.Store.Read(transaction => transaction.Actors.Unused());
        Add(Record("/again", 2) with { Actor = Vim with { Pid = 2 } });

        _collector.Store.Write(transaction => transaction.Actors.DeleteUnused(unused));

        Assert.Equal(2, unused.Count);
        Assert.Equal(again, _collector.Scalar("SELECT id FROM actors"));
    }

    [Fact]
    public void Drop_AfterAWeek_LeavesNothingOfRecordsThatNoDeviationNeeds()
    {
        Add([.. Enumerable.Range(1, 1_200).Select(number => Record($"/{number}", 1) with { Actor = Vim with { Pid = number } })]);
        _collector.Time.Advance(TimeSpan.FromDays(6));
        _collector.Store.Write(transaction => transaction.Changes.Add("i-1", [Record("/new", 1)], _collector.Time.GetUtcNow()));
        _collector.Time.Advance(TimeSpan.FromDays(2));

        new ChangeRetention(_collector.Store, _collector.Time, NullLogger<ChangeRetention>.Instance).Drop(TestContext.Current.CancellationToken);

        Assert.Equal(1, _collector.Scalar("SELECT COUNT(*) FROM changes"));
        Assert.Equal(1, _collector.Scalar("SELECT COUNT(*) FROM actors"));
    }

    private void Add(params ChangeRecord[] records) =>
        _collector.Store.Write(transaction => transaction.Changes.Add("i-1", records, Some.Time));

    private IReadOnlyList<StoredChange> Of(string path) =>
        _collector.Store.Read(transaction => transaction.Changes.Of("i-1", EntryKind.File, EntryKey.OfPath(path)));

    private static ChangeRecord Record(string path, byte fingerprint) =>
        new(EntryKind.File, EntryKey.OfPath(path), [fingerprint], Some.Time, Vim, null, Membership.None);
}
