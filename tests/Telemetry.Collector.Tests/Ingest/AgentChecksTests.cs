using Telemetry.Collector.Checks;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class AgentChecksTests : IDisposable
{
    private readonly Collector _collector = new();
    private ulong _sequence;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Change_IsKeptAndAcknowledged_AndToldAgainChangesNothing()
    {
        var stream = Connect();
        var first = Change("http", V1.CheckState.Ok, minute: 1);

        var ack = Assert.Single(stream.Receive(first)).Ack;
        stream.Receive(Change("http", V1.CheckState.Warning, minute: 5));
        var again = Assert.Single(stream.Receive(first)).Ack;

        Assert.Equal((V1.Lane.Checks, 7ul, 1ul), (ack.Lane, ack.Epoch, ack.Sequence));
        Assert.Equal(2ul, again.Sequence);
        var status = Assert.Single(All());
        Assert.Equal((CheckState.Warning, CheckState.Ok, "acme", "text"), (status.State, status.Before, status.Check.Owner, status.Text));
        Assert.Equal(5, MinuteOf(status.Since));
    }

    [Fact]
    public void State_ToldAnewByAnAgentThatStarted_KeepsSinceWhenItIs()
    {
        var stream = Connect();
        stream.Receive(Change("http", V1.CheckState.Ok, minute: 1));
        stream.Receive(Change("http", V1.CheckState.Critical, minute: 2));

        stream.Receive(Change("http", V1.CheckState.Critical, minute: 9));

        var status = Assert.Single(All());
        Assert.Equal((CheckState.Critical, CheckState.Ok, 2), (status.State, status.Before, MinuteOf(status.Since)));
    }

    [Fact]
    public void Roster_ForgetsChecksThatAreNoMore()
    {
        var stream = Connect();
        stream.Receive(Change("http", V1.CheckState.Critical, minute: 1, definesService: true));
        stream.Receive(Change("sql", V1.CheckState.Ok, minute: 1));

        stream.Receive(Roster(minute: 3, "sql"));

        Assert.Equal("web/sql", Assert.Single(All()).Check.Id);
        Assert.Equal([(1, 3)], Down());
    }

    [Fact]
    public void Check_ThatDefinesTheService_IsDownWhileItIsCriticalAndNotWhileItIsUnknown()
    {
        var stream = Connect();
        stream.Receive(Change("http", V1.CheckState.Critical, minute: 1, definesService: true));
        stream.Receive(Change("http", V1.CheckState.Unknown, minute: 3, definesService: true));
        stream.Receive(Change("http", V1.CheckState.Critical, minute: 5, definesService: true));
        stream.Receive(Change("http", V1.CheckState.Ok, minute: 8, definesService: true));
        stream.Receive(Change("load", V1.CheckState.Critical, minute: 8));

        Assert.Equal([(1, 3), (5, 8)], Down());
    }

    [Fact]
    public void Welcome_OfALaterStream_SaysHowFarTheLaneIsStored()
    {
        Connect().Receive(Change("http", V1.CheckState.Ok, minute: 1));

        var welcome = new FakeAgent(_collector.NewStream()).Hello().Welcome;

        Assert.Equal((true, 7ul, 1ul), (welcome.ChecksWanted, welcome.ChecksEpoch, welcome.ChecksSequence));
    }

    [Theory]
    [InlineData("\u001b[2J", "http", 1)]
    [InlineData("", "http", 1)]
    [InlineData("web", "a/b", 1)]
    [InlineData("web", "http", 99)]
    public void Change_ThatNoAgentTells_IsLeftOutAndAcknowledged(string layer, string name, int state)
    {
        var stream = Connect();
        var request = Change("sql", V1.CheckState.Warning, minute: 2);
        var bad = Change(name, (V1.CheckState)state, minute: 1).Checks.Changes[0];
        bad.Check.Layer = layer;
        request.Checks.Changes.Insert(0, bad);

        var ack = Assert.Single(stream.Receive(request)).Ack;

        Assert.Equal(request.Checks.Sequence, ack.Sequence);
        Assert.Equal("web/sql", Assert.Single(All()).Check.Id);
    }

    [Fact]
    public void Batch_BeyondItsLimits_IsAcknowledgedAndWhatIsGoodInItIsKept()
    {
        var stream = Connect();
        var request = Roster(minute: 3, [.. Enumerable.Range(0, CheckMapping.MaxChecks + 1).Select(i => $"c{i}")]);
        for (var i = 0; i < 150; i++)
            request.Checks.Changes.Add(Change($"c{i}", V1.CheckState.Ok, minute: 1).Checks.Changes[0]);
        request.Checks.Changes[0].At = null;
        request.Checks.Changes[1].Text = new string('x', 5_000);
        request.Checks.Sequence = ++_sequence;

        var ack = Assert.Single(stream.Receive(request)).Ack;
        stream.Receive(Roster(minute: 4, "c1", "a/b"));

        Assert.Equal(request.Checks.Sequence, ack.Sequence);
        Assert.Equal(("web/c1", 1_024), (Assert.Single(All()).Check.Id, All()[0].Text.Length));
    }

    [Fact]
    public void Changes_OfACheckThatFlaps_ArePutTogetherWhenThereAreTooMany()
    {
        var stream = Connect();
        var acked = 0ul;
        for (var i = 0; i < 3_000; i++)
        {
            foreach (var response in stream.Receive(Change($"c{i % 10}", i % 20 < 10 ? V1.CheckState.Critical : V1.CheckState.Ok, minute: 1 + (i % 7), definesService: true)))
                acked = response.Ack.Sequence;
        }

        Assert.Equal(2_000ul, acked);

        // Of another stream, too.
        stream = Connect();
        _sequence = acked;
        Assert.Empty(stream.Receive(Change("c0", V1.CheckState.Warning, minute: 9)));
        Assert.Empty(stream.Receive(Change("c1", V1.CheckState.Critical, minute: 9, definesService: true)));
        _collector.Time.Advance(TimeSpan.FromSeconds(1));
        var ack = Assert.Single(stream.Receive(new V1.ConnectRequest { Heartbeat = new V1.Heartbeat() })).Ack;

        Assert.Equal((V1.Lane.Checks, 2_002ul), (ack.Lane, ack.Sequence));
        Assert.Equal([CheckState.Warning, CheckState.Critical], All().Take(2).Select(status => status.State));
    }

    [Fact]
    public void Change_ThatIsDatedAhead_IsOfNow()
    {
        Connect().Receive(Change("http", V1.CheckState.Critical, minute: 100_000, definesService: true));

        Assert.Equal(_collector.Time.GetUtcNow(), Assert.Single(All()).Since);
    }

    [Fact]
    public void Checks_BeyondTheLimit_AreNotKept()
    {
        var stream = Connect();
        for (var i = 0; i < CheckMapping.MaxChecks + 5; i++)
            stream.Receive(Change($"c{i}", V1.CheckState.Ok, minute: 1));

        Assert.Equal(CheckMapping.MaxChecks, All().Count);
    }

    private Telemetry.Collector.Ingest.AgentStream Connect()
    {
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        return stream;
    }

    private V1.ConnectRequest Change(string name, V1.CheckState state, int minute, bool definesService = false) => new()
    {
        Checks = new V1.CheckBatch
        {
            Epoch = 7,
            Sequence = ++_sequence,
            Changes =
            {
                new V1.CheckChange
                {
                    Check = new V1.CheckName { Layer = "web", Name = name, Owner = "acme" },
                    State = state,
                    At = At(minute),
                    Text = "text",
                    DefinesService = definesService,
                },
            },
        },
    };

    private V1.ConnectRequest Roster(int minute, params string[] names)
    {
        var roster = new V1.CheckRoster { At = At(minute) };
        roster.Checks.AddRange(names.Select(name => new V1.CheckName { Layer = "web", Name = name }));
        return new V1.ConnectRequest { Checks = new V1.CheckBatch { Epoch = 7, Sequence = ++_sequence, Roster = roster } };
    }

    private DateTimeOffset Start => _collector.Time.GetUtcNow() - TimeSpan.FromMinutes(10);

    private Google.Protobuf.WellKnownTypes.Timestamp At(int minute) => (Start + TimeSpan.FromMinutes(minute)).ToTimestamp();

    private int MinuteOf(DateTimeOffset time) => (int)Math.Round((time - Start).TotalMinutes);

    private IReadOnlyList<CheckStatus> All() => _collector.Store.Read(transaction => transaction.Checks.All("i-1"));

    private IEnumerable<(int, int)> Down()
    {
        var now = _collector.Time.GetUtcNow();
        return _collector.Store.Read(transaction => transaction.StateIntervals
            .Of("i-1", now.AddHours(-1), now.AddHours(1), now, now)[DownSource.Check]
            .OrderBy(interval => interval.From)
            .Select(interval => (MinuteOf(interval.From), MinuteOf(interval.To))).ToList());
    }
}
