using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Checks;
using Telemetry.Agent.Health;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Supervision;
using Telemetry.Agent.Tests.Spool;
using Telemetry.Agent.Uplink;
using Telemetry.Agent.Watch;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Uplink;

public sealed partial class SessionTests : IDisposable
{
    private readonly Spools _spools = new();
    private readonly TemporaryDirectory _state = new();
    private readonly StateStore _store;
    private readonly RulesInForce _rules;
    private readonly ChangeLog _changes;
    private readonly SetClock _clock;
    private readonly CheckLog _checks;
    private readonly HealthQueue _health;
    private readonly Channel<ConnectResponse> _collector = Channel.CreateUnbounded<ConnectResponse>();
    private readonly Sent _sent = new();

    public SessionTests()
    {
        var spool = _spools.Open();
        _store = new StateStore(_state.Path, Scans.StateOptions, _spools.Clock, NullLogger.Instance);
        _rules = new RulesInForce(_state.Path, NullLogger<RulesInForce>.Instance);
        _clock = new SetClock(_spools.Clock);
        _changes = new ChangeLog(
            spool.Changes, changes => (new ChangeBatch { Records = { new ChangeRecord { Key = ByteString.CopyFrom(changes.First().Key) } } }.ToByteArray(), 1), _spools.Clock, headGeneration: 0);
        _checks = new CheckLog(spool.Checks, CheckMapping.Encode, _spools.Clock);
        _health = new HealthQueue(spool.Health, sample => sample.Encode("web-1"), hasCollector: true, NullLogger<HealthQueue>.Instance);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _rules.Dispose();
        _store.Dispose();
        _state.Dispose();
        _spools.Dispose();
    }

    [Fact]
    public async Task Challenges_AreAnsweredEachWithItsNonce()
    {
        Say(new ConnectResponse { Welcome = Welcome() });
        Say(new ConnectResponse { Challenge = new Challenge { Nonce = ByteString.CopyFrom(new byte[65]) } });
        Say(new ConnectResponse { Challenge = new Challenge { Nonce = ByteString.CopyFromUtf8("one") } });
        Say(new ConnectResponse { Challenge = new Challenge { Nonce = ByteString.CopyFromUtf8("two") } });

        await Run(2, ConnectRequest.MessageOneofCase.ChallengeAnswer);

        var answers = _sent.Messages.Where(message => message.ChallengeAnswer is not null).Select(message => message.ChallengeAnswer.Nonce.ToStringUtf8());
        Assert.Equal(["one", "two"], answers);
    }

    [Fact]
    public async Task Sample_IsSentWithWhatItsHourHadSoFarAndWhatWasLost()
    {
        var time = _spools.Clock.GetUtcNow();
        var point = new HealthPoint("mem", [HealthField.Of("used", 1)]);
        _health.Add(new HealthSample(time, [point, point]));
        _health.Add(new HealthSample(time, [point]));
        Say(new ConnectResponse { Welcome = Welcome() });

        await Run(2, ConnectRequest.MessageOneofCase.Health);

        var batches = _sent.Messages.Where(message => message.Health is not null).Select(message => message.Health).ToList();
        Assert.Equal([(1u, 2, 2u), (2u, 1, 3u)], batches.Select(batch => (batch.Sequence, batch.Rows.Count, batch.Collected)));
        Assert.Equal("web-1", batches[0].Series[0].Tags["host"]);
    }

    /// <summary>A collector ends the stream at 5,000 points in a message, or 1 MiB.</summary>
    [Fact]
    public async Task Sample_OfThousandsOfPoints_IsSentInMessagesThatACollectorTakes()
    {
        var time = _spools.Clock.GetUtcNow();
        _health.Add(new HealthSample(time, [.. Enumerable.Range(0, 6_000).Select(i => new HealthPoint("disk", [HealthField.Of("used", (long)i)], [new HealthTag("path", $"/pool/{i:D200}")]))]));
        _health.Add(new HealthSample(time, [.. Enumerable.Range(0, 2_500).Select(i => new HealthPoint("x", [HealthField.Of("a", (long)i)]))]));
        Say(new ConnectResponse { Welcome = Welcome() });

        var batches = await RunAcknowledging(8_500);

        Assert.All(batches, batch => Assert.InRange(batch.CalculateSize(), 1, 128 * 1024));
        Assert.All(batches, batch => Assert.InRange(batch.Rows.Count + batch.Points.Count, 1, 1_000));
        Assert.InRange(batches.Count, 8, 60);

        // Each says how many of its hour there were up to itself; names go once.
        Assert.Equal(Enumerable.Range(1, batches.Count).Select(sequence => (ulong)sequence), batches.Select(batch => batch.Sequence));
        var sofar = 0ul;
        Assert.All(batches, batch => Assert.Equal(sofar += (ulong)(batch.Rows.Count + batch.Points.Count), batch.Collected));
        Assert.Equal(batches.Sum(batch => batch.Series.Count), batches.SelectMany(batch => batch.Series.Select(series => series.Id)).Distinct().Count());
        Assert.Equal(time, batches[^1].Time.ToDateTimeOffset());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Checks_AreToldBeforeMetricsToACollectorThatTakesThem(bool isWanted)
    {
        var check = new DeclaredCheck("web", "acme", new Telemetry.Protocol.Layers.LayerCheck("http", ["/bin/true"], TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), DefinesService: true));
        var now = _spools.Clock.GetUtcNow();
        _health.Add(new HealthSample(now, [new HealthPoint("mem", [HealthField.Of("used", 1L)])]));
        _checks.Run([check]);
        _checks.Add(new Agent.Checks.CheckChange(check, Agent.Checks.CheckState.Critical, now, "down"));
        var welcome = Welcome();
        welcome.ChecksWanted = isWanted;
        Say(new ConnectResponse { Welcome = welcome });

        await Run(1, ConnectRequest.MessageOneofCase.Health);

        var told = _sent.Messages.Where(message => message.Checks is not null).Select(message => message.Checks).ToList();
        if (!isWanted)
        {
            Assert.Empty(told);
            return;
        }

        Assert.Equal([1ul, 2ul], told.Select(batch => batch.Sequence));
        Assert.Equal("http", Assert.Single(told[0].Roster.Checks).Name);
        var change = Assert.Single(told[1].Changes);
        Assert.Equal(("web", "acme", Telemetry.Protocol.V1.CheckState.Critical, "down", true), (change.Check.Layer, change.Check.Owner, change.State, change.Text, change.DefinesService));
        Assert.Equal(ConnectRequest.MessageOneofCase.Health, _sent.Messages[^1].MessageCase);
    }

    [Fact]
    public async Task Checks_ThatAreAcknowledged_AreNotToldAgain()
    {
        _checks.Run([]);
        _checks.Run([]);
        var told = default(Agent.Spool.SpoolCursor);
        var epoch = _checks.Next(ref told)!.Position.Epoch;
        var welcome = Welcome();
        (welcome.ChecksWanted, welcome.ChecksEpoch, welcome.ChecksSequence) = (true, epoch, 1);
        Say(new ConnectResponse { Welcome = welcome });

        await Run(1, ConnectRequest.MessageOneofCase.Checks);

        Assert.Equal(2ul, Assert.Single(_sent.Messages, message => message.Checks is not null).Checks.Sequence);
    }

    [Fact]
    public async Task Samples_ThatWaitByTheThousand_LeaveTheStreamFree()
    {
        for (var i = 0; i < 3_000; i++)
            _health.Add(new HealthSample(_spools.Clock.GetUtcNow(), [new HealthPoint("mem", [HealthField.Of("used", i)])]));
        Say(new ConnectResponse { Welcome = Welcome() });
        Say(new ConnectResponse { Challenge = new Challenge { Nonce = ByteString.CopyFromUtf8("one") } });

        await Run(1, ConnectRequest.MessageOneofCase.ChallengeAnswer);

        Assert.InRange(_sent.Messages.Count(message => message.Health is not null), 0, 16);
    }

    [Fact]
    public async Task Collector_ThatTakesNothing_IsWaitedForWhileTheLoopBeatsButNotForEver()
    {
        Say(new ConnectResponse { Welcome = Welcome() });
        _sent.TakesNothing = true;
        _health.Add(new HealthSample(_spools.Clock.GetUtcNow(), [new HealthPoint("mem", [HealthField.Of("used", 1)])]));
        var pulse = new LoopPulse("uplink");
        using var session = NewSession(pulse);
        var running = session.RunAsync(new Hello(), _ => { }, Cancellation);

        var began = _spools.Clock.GetUtcNow();
        while (_spools.Clock.GetUtcNow() - began < TimeSpan.FromMinutes(4))
        {
            // Not with every look: the loop gets time to take notice.
            var (beats, looks) = (pulse.Beats, 0);
            await Eventually.True(() => (looks++ % 40 != 0 || AfterSeconds(5)) && pulse.Beats > beats, "the loop to beat", Cancellation);
        }

        Assert.False(running.IsCompleted);
        await Eventually.True(() => AfterSeconds(10) && running.IsCompleted, "the stream to end", Cancellation);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => running)).StatusCode);

        bool AfterSeconds(int seconds)
        {
            _spools.Clock.Advance(TimeSpan.FromSeconds(seconds));
            return true;
        }
    }

    /// <summary>Who hears of a change first ends the stream: the change is on its way to the stream by then.</summary>
    [Fact]
    public async Task Change_OnItsWayWhileTheStreamEnds_FailsNothing()
    {
        var session = NewSession(new LoopPulse("uplink"));
        var running = Task.CompletedTask;
        _store.Changed += End;
        _health.Add(new HealthSample(_spools.Clock.GetUtcNow(), [new HealthPoint("mem", [HealthField.Of("used", 1)])]));
        Say(new ConnectResponse { Welcome = Welcome() });
        running = session.RunAsync(new Hello(), _ => { }, Cancellation);
        await Eventually.True(() => _sent.Messages.Any(message => message.Health is not null), "the stream to listen", Cancellation);

        _store.Wake();

        Assert.True(running.IsCompletedSuccessfully);

        void End()
        {
            if (!_sent.Messages.Any(message => message.Health is not null))
                return;
            _store.Changed -= End;
            _collector.Writer.Complete();
            running.Wait(Cancellation);
            session.Dispose();
        }
    }

    /// <summary>By heartbeats the collector sees that the clock is wrong.</summary>
    [Fact]
    public async Task Heartbeat_ClockSetBack_ComesWhenItIsDue()
    {
        using var session = NewSession(new LoopPulse("uplink"));
        var isWelcome = false;
        Say(new ConnectResponse { Welcome = Welcome() });
        var running = session.RunAsync(new Hello(), _ => isWelcome = true, Cancellation);
        await Eventually.True(() => Volatile.Read(ref isWelcome), "the welcome", Cancellation);

        _clock.Ahead = TimeSpan.FromHours(-1);
        _spools.Clock.Advance(TimeSpan.FromSeconds(10));
        await Eventually.True(IsToldOf, "a heartbeat", Cancellation);

        var heartbeat = Assert.Single(_sent.Messages, message => message.Heartbeat is not null).Heartbeat;
        Assert.Equal(_clock.GetUtcNow(), heartbeat.SentAt.ToDateTimeOffset());
        _collector.Writer.Complete();
        await running;

        bool IsToldOf()
        {
            _store.Wake();
            return _sent.Messages.Any(message => message.Heartbeat is not null);
        }
    }

    /// <summary>Its acknowledgement takes along what was to be told before it, told or not.</summary>
    [Fact]
    public async Task Head_MadeWhileTheStreamLooksForChanges_IsToldBehindItsOwn()
    {
        using var tree = new TemporaryDirectory();
        tree.Write("file", "");
        var plan = new ScanPlan(tree.Path) { Local = Protocol.Model.Scope.Everything, Settings = false };
        _store.Look(plan.Under(Scans.NoPolicy, Scans.Key, TimeProvider.System), new ScanProgress(), Cancellation);
        _rules.LookedAt(_rules.Current);
        using var session = NewSession(new LoopPulse("uplink"));
        Say(new ConnectResponse { Welcome = Welcome() });
        var running = session.RunAsync(new Hello(), _ => { }, Cancellation);
        await AckHeads(1);

        for (var heads = 2; heads <= 10; heads++)
        {
            tree.Write("file", $"{heads}");
            var dirty = new DirtyPart([new(EntryKey.Of("file"), new Dirt(IsDeep: false, default, default, new ChangeOrigin(DateTimeOffset.UnixEpoch, By: null)))], loss: null);
            var scan = plan.PartsUnder(Scans.NoPolicy, Scans.Key, TimeProvider.System, dirty.Parts, facts: false);
            _store.LookAgain(
                scan, DateTimeOffset.UnixEpoch,
                (generation, edits) =>
                {
                    // The stream asks for the time, and then at once for changes, of which there are none yet.
                    var asked = _clock.Asked;
                    _ = Task.Run(_store.Wake, Cancellation);
                    SpinWait.SpinUntil(() => _clock.Asked > asked, TimeSpan.FromSeconds(20));
                    _changes.Add(generation, edits, [], dirty);
                },
                new ScanProgress(), Cancellation);
            await AckHeads(heads);
        }

        _collector.Writer.Complete();
        await running;
        var state = _sent.Messages.Select(message => message.MessageCase).Where(kind => kind is ConnectRequest.MessageOneofCase.Head or ConnectRequest.MessageOneofCase.Changes).ToList();
        Assert.Equal(
            [ConnectRequest.MessageOneofCase.Head, .. Enumerable.Repeat<ConnectRequest.MessageOneofCase[]>([ConnectRequest.MessageOneofCase.Changes, ConnectRequest.MessageOneofCase.Head], 9).SelectMany(pair => pair)],
            state);

        async Task AckHeads(int count)
        {
            await Eventually.True(() => Heads().Count == count, $"head {count}", Cancellation);
            var head = Heads()[^1];
            Say(new ConnectResponse { Ack = new Ack { Lane = Lane.State, Epoch = head.Epoch, Sequence = head.Sequence } });
            await Eventually.True(() => _store.Ledger.IsAcknowledged, "the acknowledgement", Cancellation);
        }

        List<Head> Heads() => [.. _sent.Messages.Where(message => message.Head is not null).Select(message => message.Head)];
    }

    [Fact]
    public void ToMessage_Losses_AreOfWholeHoursWithTheirReason()
    {
        var record = new Agent.Spool.SpoolRecord
        {
            Position = new HeadPosition(7, 8),
            Time = DateTimeOffset.UnixEpoch,
            Units = 0,
            Collected = 9,
            Losses = [new(2, Agent.Spool.LossCause.Full, 10), new(3, Agent.Spool.LossCause.Damaged, 11)],
            Payload = [],
        };

        var batch = record.ToMessage();

        Assert.Equal((7u, 8u, 9u), (batch.Epoch, batch.Sequence, batch.Collected));
        Assert.Equal([(7200, 10u, LossReason.SpoolFull), (10800, 11u, LossReason.SpoolDamaged)], batch.Losses.Select(loss => (loss.Hour.Seconds, loss.Points, loss.Reason)));
    }

    private static Welcome Welcome() => new() { NodeFormat = TreeNode.Format, HealthWanted = true, SentAt = Timestamp.FromDateTime(DateTime.UnixEpoch) };

    private void Say(ConnectResponse response) => Assert.True(_collector.Writer.TryWrite(response));

    /// <summary>Until the collector, which says no more, has so many messages of a kind.</summary>
    private async Task Run(int count, ConnectRequest.MessageOneofCase kind)
    {
        using var session = NewSession(new LoopPulse("uplink"));
        var running = session.RunAsync(new Hello(), _ => { }, Cancellation);
        await Eventually.True(() => _sent.Messages.Count(message => message.MessageCase == kind) == count, $"{count} of {kind}", Cancellation);
        _collector.Writer.Complete();
        await running;
    }

    /// <summary>Until so many points came, each message of which the collector has at once.</summary>
    private async Task<List<HealthBatch>> RunAcknowledging(int points)
    {
        using var session = NewSession(new LoopPulse("uplink"));
        var running = session.RunAsync(new Hello(), _ => { }, Cancellation);
        var acked = 0;
        await Eventually.True(
            () =>
            {
                var batches = Batches();
                for (; acked < batches.Count; acked++)
                    Say(new ConnectResponse { Ack = new Ack { Lane = Lane.Health, Epoch = batches[acked].Epoch, Sequence = batches[acked].Sequence } });
                return batches.Sum(batch => batch.Rows.Count + batch.Points.Count) == points;
            },
            $"{points} points", Cancellation);
        _collector.Writer.Complete();
        await running;
        return Batches();

        List<HealthBatch> Batches() => [.. _sent.Messages.Where(message => message.Health is not null).Select(message => message.Health)];
    }

    private Session NewSession(LoopPulse pulse)
    {
        var call = new AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse>(
            _sent, new Answers(_collector.Reader), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        return new Session(call, _rules, _store, _changes, _checks, _health, pulse, _clock);
    }
}
