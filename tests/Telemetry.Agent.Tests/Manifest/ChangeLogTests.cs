using System.Text;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Tests.Spool;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Manifest;

public sealed class ChangeLogTests : IDisposable
{
    private static readonly ChangeOrigin Somebody = new(DateTimeOffset.UnixEpoch, By: null);

    private readonly Spools _spools = new();
    private readonly ChangeLog _log;

    public ChangeLogTests() => _log = Open();

    public void Dispose() => _spools.Dispose();

    [Fact]
    public void Next_WhatIsNotStored_IsToldInOrderAndToldAgain()
    {
        Add(1, "a", "b");
        Add(2, "c");

        var cursor = default(SpoolCursor);
        Assert.Equal("a b", Text(_log.Next(ref cursor)));
        Assert.Equal("c", Text(_log.Next(ref cursor)));
        Assert.Null(_log.Next(ref cursor));
        Assert.Equal(["a", "b", "c"], Names(_log));
    }

    [Fact]
    public void Stored_TheHead_DropsItsRecordsAndTheEarlierOnes()
    {
        Add(1, "a");
        Add(2, "b");
        Add(3, "c");

        _log.Stored(2);

        Assert.Equal(["c"], Names(_log));
    }

    [Fact]
    public void Add_WhereNobodyKnowsWhereItCameFrom_TellsNothing()
    {
        _log.Add(1, [(EntryKind.File, Edit("a"))], [], DirtyPart.Nothing);

        Assert.Empty(Names(_log));
    }

    [Fact]
    public void Add_Residue_IsToldThoughNothingIsDifferentByNow()
    {
        var part = Part(new KeyValuePair<string, ChangeOrigin>("a", Somebody with { Membership = TransactionMembership.Residue }), new("b", Somebody));

        _log.Add(1, [], [Seen("a"), Seen("b")], part);

        Assert.Equal(["a"], Names(_log));
    }

    [Fact]
    public void Add_WhatALookAtEverythingSawBeforeItWasTold_IsToldYet()
    {
        DateTimeOffset before = _spools.Clock.GetUtcNow(), end = before.AddSeconds(1), after = end.AddSeconds(1);
        var part = new DirtyPart(
            [new(EntryKey.Of("seen"), new Dirt(false, default, before, Somebody)), new(EntryKey.Of("later"), new Dirt(false, default, after, Somebody))], loss: null);

        _log.Add(1, [], [Seen("later"), Seen("seen")], part, end);

        Assert.Equal(["seen"], Names(_log));
    }

    /// <summary>Settings come with their file; of all packages, which are looked at together, those are told that the transaction is about.</summary>
    [Fact]
    public void Add_OfATransactionThatALookAtEverythingSaw_TellsItsPackagesAndSettings()
    {
        DateTimeOffset before = _spools.Clock.GetUtcNow(), end = before.AddSeconds(1);
        EntryKey shop = EntryKey.Of("dpkg", "shop", "all"), other = EntryKey.Of("dpkg", "other", "all");
        var report = new TransactionReport(
            new CompletedTransaction("dpkg-1-1", "dpkg", before, end, []), [new PackageTransition(shop, null, "1.0")], new Dictionary<EntryKey, TransactionMembership>(), []);
        var dirt = new Dirt(false, default, before, Somebody with { Transaction = report, Membership = TransactionMembership.Verified });
        var part = new DirtyPart([new(EntryKey.OfPath("/var/lib/dpkg/status"), dirt), new(EntryKey.OfPath("/etc/shop.conf"), dirt)], loss: null);
        var setting = new EntryKey([.. SettingKey.PrefixOf(EntryKey.OfPath("/etc/shop.conf")).Bytes, EntryKey.Separator, .. "port"u8]);
        (EntryKind, TreeEdit) Found(EntryKind kind, EntryKey key) => (kind, new TreeEdit(key.Bytes.ToArray(), [1]));

        _log.Add(1, [], [Found(EntryKind.Package, other), Found(EntryKind.Package, shop), Found(EntryKind.Setting, setting)], part, end);

        Assert.Equal([Encoding.ASCII.GetString(shop.Bytes), Encoding.ASCII.GetString(setting.Bytes)], Names(_log));
        Assert.Contains((EntryKind.Package, shop), part.Named);
    }

    [Fact]
    public void Add_MoreThanOneMessageTakes_TellsAll()
    {
        var names = Enumerable.Range(0, 25).Select(i => $"n{i}").ToArray();

        Add(1, names);

        Assert.Equal(names, Names(_log));
    }

    [Fact]
    public void Next_AfterAKill_TellsWhatTheCollectorLacks()
    {
        Add(4, "a");
        Add(5, "b");
        _log.Stored(4);

        var restarted = Open(headGeneration: 5);
        Assert.Contains("b", Names(restarted));
        restarted.Stored(4);
        Assert.Equal(["b"], Names(restarted));
        restarted.Stored(5);

        Assert.Empty(Names(restarted));
    }

    [Fact]
    public void Stored_AfterTheStateWasLost_TakesTheFirstHeadForThatOfAll()
    {
        Add(70, "a");

        var restarted = Open(headGeneration: 0);
        restarted.Stored(0);
        Assert.Equal(["a"], Names(restarted));
        restarted.Stored(1);

        Assert.Empty(Names(restarted));
    }

    private ChangeLog Open(long headGeneration = 0) => new(_spools.Open().Changes, Encode, _spools.Clock, headGeneration);

    // Ten make a message.
    private static (byte[] Batch, int Changes) Encode(IEnumerable<AttributedChange> changes)
    {
        var some = changes.Take(10).Select(change => Encoding.ASCII.GetString(change.Key)).ToList();
        return (Encoding.ASCII.GetBytes(string.Join(' ', some)), some.Count);
    }

    private void Add(long generation, params string[] names) =>
        _log.Add(generation, [.. names.Select(name => (EntryKind.File, Edit(name)))], [], Part([.. names.Select(name => new KeyValuePair<string, ChangeOrigin>(name, Somebody))]));

    private static DirtyPart Part(params KeyValuePair<string, ChangeOrigin>[] origins) => new(
        [.. origins.Select(origin => new KeyValuePair<EntryKey, Dirt>(EntryKey.Of(origin.Key), new Dirt(false, default, default, origin.Value)))], loss: null);

    private static TreeEdit Edit(string name) => new(EntryKey.Of(name).Bytes.ToArray(), null);

    private static (EntryKind Kind, TreeEdit Edit) Seen(string name) => (EntryKind.File, new TreeEdit(EntryKey.Of(name).Bytes.ToArray(), [1]));

    private static string? Text(ReadOnlyMemory<byte>? batch) => batch is { } bytes ? Encoding.ASCII.GetString(bytes.Span) : null;

    private static List<string> Names(ChangeLog log)
    {
        var names = new List<string>();
        var cursor = default(SpoolCursor);
        while (Text(log.Next(ref cursor)) is { } batch)
            names.AddRange(batch.Split(' '));
        return names;
    }
}
