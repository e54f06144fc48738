using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Manifest;

public sealed class ChangeLogTests
{
    private static readonly ChangeOrigin Somebody = new(DateTimeOffset.UnixEpoch, By: null);

    private readonly ChangeLog _log = new();

    [Fact]
    public void From_WhatIsNotStored_IsToldInOrderAndToldAgain()
    {
        Add(1, "a", "b");
        Add(2, "c");

        Assert.Equal(["a", "b"], Names(0, 2));
        Assert.Equal(["c"], Names(2, 2));
        Assert.Equal(["a", "b", "c"], Names(0, 100));
    }

    [Fact]
    public void Stored_TheHead_DropsItsRecordsAndTheEarlierOnes()
    {
        Add(1, "a");
        Add(2, "b");
        Add(3, "c");

        _log.Stored(2);

        var number = 0L;
        Assert.Equal("c", Name(Assert.Single(_log.From(ref number, 100))));
        Assert.Equal(2, number);
    }

    [Fact]
    public void Add_WhereNobodyKnowsWhereItCameFrom_TellsNothing()
    {
        _log.Add(1, [(EntryKind.File, Edit("a"))], [], DirtyPart.Nothing);

        Assert.Empty(Names(0, 100));
    }

    [Fact]
    public void Add_Residue_IsToldThoughNothingIsDifferentByNow()
    {
        var part = Part(new KeyValuePair<string, ChangeOrigin>("a", Somebody with { Membership = TransactionMembership.Residue }), new("b", Somebody));

        _log.Add(1, [], [Seen("a"), Seen("b")], part);

        Assert.Equal(["a"], Names(0, 100));
    }

    [Fact]
    public void Add_MoreThanThereIsRoomFor_DropsTheOldestAndCounts()
    {
        var names = Enumerable.Range(0, 50_000).Select(i => $"{i:d100}").ToArray();

        Add(1, names);

        Assert.InRange(_log.Dropped, 20_000, 49_000);
        Assert.Equal(names[^1], Name(Last()));
        Assert.Equal(names[(int)_log.Dropped], Assert.Single(Names(0, 1)));
    }

    private void Add(long generation, params string[] names) =>
        _log.Add(generation, [.. names.Select(name => (EntryKind.File, Edit(name)))], [], Part([.. names.Select(name => new KeyValuePair<string, ChangeOrigin>(name, Somebody))]));

    private static DirtyPart Part(params KeyValuePair<string, ChangeOrigin>[] origins) => new(
        [.. origins.Select(origin => new KeyValuePair<EntryKey, Dirt>(EntryKey.Of(origin.Key), new Dirt(false, default, default, origin.Value)))], loss: null);

    private static TreeEdit Edit(string name) => new(EntryKey.Of(name).Bytes.ToArray(), null);

    private static SeenEntry Seen(string name) => new(EntryKind.File, EntryKey.Of(name).Bytes.ToArray(), [1], default);

    private IEnumerable<string> Names(long from, int most) => _log.From(ref from, most).Select(Name);

    private AttributedChange Last()
    {
        var number = 0L;
        return _log.From(ref number, int.MaxValue)[^1];
    }

    private static string Name(AttributedChange change) => System.Text.Encoding.ASCII.GetString(change.Key);
}
