using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Watch.Transactions;

public sealed class TransactionTrackerTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly PackageLock[] Apt = [new("dpkg", 10)], AptAndDpkg = [new("dpkg", 10), new("dpkg", 11)];
    private static readonly EntryKey Key = EntryKey.OfPath("usr/bin/a"), Other = EntryKey.OfPath("etc/b");

    private readonly TransactionTracker _tracker = new();

    [Fact]
    public void Changed_WhileNoLockIsHeld_GoesOn()
    {
        Assert.False(_tracker.Changed(SomeChange.Of(Key, Belonging.Member, Start)));
        Assert.Null(_tracker.LocksHeld([], Start));
    }

    [Fact]
    public void LocksHeld_WhileDpkgsComesAndGoes_IsOneTransaction()
    {
        foreach (var locks in (PackageLock[][])[Apt, AptAndDpkg, Apt, AptAndDpkg, Apt])
            Assert.Null(_tracker.LocksHeld(locks, Start));
        Assert.True(_tracker.Changed(SomeChange.Of(Key, Belonging.Member, Start)));

        var ended = _tracker.LocksHeld([], Start.AddMinutes(1));

        Assert.Equal(("dpkg", Start, Start.AddMinutes(1)), (ended!.Manager, ended.BeganAt, ended.EndedAt));
        Assert.Equal([SomeChange.Of(Key, Belonging.Member, Start)], ended.Changes);
        Assert.False(_tracker.IsOpen);
    }

    [Fact]
    public void Changed_ByAnotherProcess_GoesOnAndIsRemembered()
    {
        _tracker.LocksHeld(Apt, Start);

        Assert.False(_tracker.Changed(SomeChange.Of(Key, Belonging.Outside, Start)));
        Assert.True(_tracker.Changed(SomeChange.Of(Other, Belonging.Unknown, Start)));

        Assert.Equal([Other, Key], _tracker.LocksHeld([], Start)!.Changes.Select(change => change.Key));
    }

    [Fact]
    public void Changed_MoreThanAnyTransactionMakes_GoesOn()
    {
        _tracker.LocksHeld(Apt, Start);

        Assert.All(Enumerable.Range(0, 200_000), i => Assert.True(_tracker.Changed(SomeChange.Of(EntryKey.Of($"{i}"), Belonging.Member))));

        Assert.False(_tracker.Changed(SomeChange.Of(Key, Belonging.Member)));
        Assert.True(_tracker.Changed(SomeChange.Of(EntryKey.Of("7"), Belonging.Member)));
        Assert.Equal(200_000, _tracker.LocksHeld([], Start)!.Changes.Count);
    }

    [Fact]
    public void LocksHeld_ForTooLong_LetsGoWhatWaited()
    {
        _tracker.LocksHeld(Apt, Start);
        _tracker.Changed(SomeChange.Of(Key, Belonging.Member, Start));

        Assert.Null(_tracker.LocksHeld(Apt, Start.AddMinutes(14)));
        var overdue = _tracker.LocksHeld(Apt, Start.AddMinutes(15));
        _tracker.Changed(SomeChange.Of(Other, Belonging.Member, Start.AddMinutes(16)));
        var ended = _tracker.LocksHeld([], Start.AddMinutes(17));

        Assert.Null(overdue!.EndedAt);
        Assert.Equal(Key, Assert.Single(overdue.Changes).Key);
        Assert.Equal(Other, Assert.Single(ended!.Changes).Key);
        Assert.NotEqual(overdue.Id, ended.Id);
    }
}
