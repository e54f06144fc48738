using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Tests.Spool;
using Telemetry.Agent.Uplink;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Uplink;

public sealed class ChangeMappingTests : IDisposable
{
    private static readonly Actor Vim = new(7) { Executable = "/usr/bin/vim", IsCertain = true };

    private readonly ActorReader _actors = new("/nowhere", new UserNames("/nowhere", TimeProvider.System), TimeProvider.System);
    private readonly ChangeMapping _mapping;

    public ChangeMappingTests() => _mapping = new ChangeMapping(_actors);

    public void Dispose() => _actors.Dispose();

    [Fact]
    public void ToMessage_OneActorAndOneTransaction_AreSaidOnce()
    {
        _actors.Drained();
        var report = new TransactionReport(
            new CompletedTransaction("dpkg-1-1", "dpkg", DateTimeOffset.UnixEpoch, null, []),
            [new PackageTransition(EntryKey.Of("dpkg", "shop", "all"), null, "1.0")],
            new Dictionary<EntryKey, TransactionMembership>(),
            []);
        var origin = new ChangeOrigin(DateTimeOffset.UnixEpoch, new SeenActor(Vim, 2, 0)) { Transaction = report, Membership = TransactionMembership.Verified };

        var batch = _mapping.ToMessage([Change("a", origin), Change("b", origin with { By = new SeenActor(Vim, 4, 0) })]);

        Assert.Equal("shop", Assert.Single(Assert.Single(batch.Transactions).Packages).Name);
        Assert.True(Assert.Single(batch.Actors).IsCertain);
        Assert.All(batch.Records, record => Assert.Equal((1u, 1u, Protocol.V1.Membership.Verified), (record.Actor, record.Transaction, record.Membership)));
        Assert.Equal("a", batch.Records[0].Key.ToStringUtf8());
    }

    [Fact]
    public void ToMessage_BeforeTheQueueWasReadToItsEnd_IsUncertain()
    {
        var batch = _mapping.ToMessage([Change("a", By(Vim, round: 0))]);

        Assert.False(Assert.Single(batch.Actors).IsCertain);
    }

    [Fact]
    public void ToMessage_AnExecBetweenTwoChanges_MakesTheEarlierOneUncertain()
    {
        _actors.ExecSeen(Vim.Pid, 3);
        _actors.Drained();

        var batch = _mapping.ToMessage([Change("a", By(Vim, order: 2)), Change("b", By(Vim, order: 4))]);

        Assert.Equal([false, true], batch.Records.Select(record => batch.Actors[(int)record.Actor - 1].IsCertain));
    }

    [Fact]
    public void ToMessage_ManyActors_AreMoreThanOneMessage()
    {
        var changes = Enumerable.Range(1, 1000).Select(i => Change($"{i}", By(new Actor(i)))).ToList();

        var batch = _mapping.ToMessage(changes);

        Assert.InRange(batch.Records.Count, 1, 100);
        Assert.Equal(batch.Records.Count, batch.Actors.Count);
    }

    [Fact]
    public void ToMessage_LongKeys_StayBelowWhatTheCollectorTakes()
    {
        var changes = Enumerable.Range(0, 1000).Select(i => Change(new string('x', EntryKey.MaxLength), By(Vim))).ToList();

        Assert.InRange(_mapping.ToMessage(changes).CalculateSize(), 1, 1 << 20);
    }

    [Fact]
    public void Next_LongCommandLines_StayBelowWhatTheCollectorTakes()
    {
        using var spools = new Spools();
        var log = new ChangeLog(spools.Open().Changes, _mapping.Encode, spools.Clock, headGeneration: 0);
        for (var i = 1; i <= 200; i++)
            Add(log, $"{i}", By(new Actor(i) { Executable = new string('e', 4_000), CommandLine = [new string('c', 4_000)], ParentExecutable = new string('p', 4_000) }));
        var sent = default(SpoolCursor);

        var sizes = new List<int>();
        while (ChangeMapping.Next(log, ref sent) is { } batch)
            sizes.Add(batch.CalculateSize());

        Assert.InRange(sizes.Count, 2, 200);
        Assert.All(sizes, size => Assert.InRange(size, 1, 1 << 19));
    }

    [Fact]
    public void Next_BatchesOfSeveralLooks_AreOneMessageWithEachActorOnce()
    {
        using var spools = new Spools();
        var log = new ChangeLog(spools.Open().Changes, _mapping.Encode, spools.Clock, headGeneration: 0);
        Add(log, "a", By(Vim));
        Add(log, "b", By(new Actor(8)));
        Add(log, "c", By(Vim));
        Add(log, "d", new ChangeOrigin(DateTimeOffset.UnixEpoch, By: null));
        var sent = default(SpoolCursor);

        var batch = ChangeMapping.Next(log, ref sent)!;

        Assert.Equal(["a", "b", "c", "d"], batch.Records.Select(record => record.Key.ToStringUtf8()));
        Assert.Equal([1u, 2u, 1u, 0u], batch.Records.Select(record => record.Actor));
        Assert.Equal([7, 8], batch.Actors.Select(actor => actor.Pid));
        Assert.Null(ChangeMapping.Next(log, ref sent));
    }

    [Fact]
    public void Next_MoreThanOneMessageTakes_AreSeveralInOrder()
    {
        using var spools = new Spools();
        var log = new ChangeLog(spools.Open().Changes, _mapping.Encode, spools.Clock, headGeneration: 0);
        for (var i = 1; i <= 100; i++)
            Add(log, $"{i}", By(new Actor(i)));
        var sent = default(SpoolCursor);

        var records = new List<Protocol.V1.ChangeRecord>();
        var messages = 0;
        for (; ChangeMapping.Next(log, ref sent) is { } batch; messages++)
            records.AddRange(batch.Records);

        Assert.Equal(Enumerable.Range(1, 100).Select(i => $"{i}"), records.Select(record => record.Key.ToStringUtf8()));
        Assert.Equal(2, messages);
    }

    private static void Add(ChangeLog log, string name, ChangeOrigin origin) => log.Add(
        1,
        [(EntryKind.File, new TreeEdit(EntryKey.Of(name).Bytes.ToArray(), null))],
        [],
        new DirtyPart([new(EntryKey.Of(name), new Dirt(false, default, default, origin))], loss: null));

    private static ChangeOrigin By(Actor actor, ulong order = 2, long round = -1) => new(DateTimeOffset.UnixEpoch, new SeenActor(actor, order, round));

    private static AttributedChange Change(string name, ChangeOrigin origin) => new(EntryKind.File, System.Text.Encoding.ASCII.GetBytes(name), null, origin);
}
