using Telemetry.Collector.Fleet;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Testing;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>Metrics that nobody can read cost themselves: they are counted and acknowledged, and the stream goes on.</summary>
public sealed class UnreadHealthTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly PointQueue _queue;
    private readonly AgentStream _stream;
    private readonly FakeAgent _agent;

    public UnreadHealthTests()
    {
        _queue = new PointQueue(_collector.Store, Collector.KeepsAll, TimeProvider.System);
        _stream = _collector.NewStream(_queue);
        _agent = new FakeAgent(_stream).Hello();
    }

    public void Dispose()
    {
        _stream.Dispose();
        _collector.Dispose();
    }

    [Theory]
    [InlineData("too many points", 5_001)]
    [InlineData("rows without a time", 1)]
    [InlineData("a time that is none", 1)]
    [InlineData("a loss that is none", 1)]
    [InlineData("a count that is none", 1)]
    public async Task Batch_ThatCannotBeRead_IsCountedAndAcknowledged(string kind, int points)
    {
        var batch = new V1.HealthBatch { Epoch = 1, Sequence = 1 };
        batch.Points.AddRange(Enumerable.Repeat(Point(), points));
        switch (kind)
        {
            case "rows without a time":
                batch.Points.Clear();
                batch.Rows.Add(new V1.SeriesRow { Series = 1 });
                break;
            case "a time that is none":
                batch.Points[0].Time = new Google.Protobuf.WellKnownTypes.Timestamp { Seconds = long.MaxValue };
                break;
            case "a loss that is none":
                batch.Losses.Add(new V1.Loss { Points = 1 });
                break;
            case "a count that is none":
                batch.Collected = ulong.MaxValue;
                break;
        }

        _stream.Receive(new V1.ConnectRequest { Health = batch });

        await Goes(2);
        Assert.Equal((RejectionReason.NotReadable, (long)points), Assert.Single(Account().Rejections));
        Assert.Equal((1, points), (Account().Counts.Stored, Account().Counts.Rejected));
    }

    [Fact]
    public async Task Rows_OfASeriesThatWasNotNamed_CostThemselvesOnly()
    {
        var now = _collector.Time.GetUtcNow();
        var batch = new V1.HealthBatch { Epoch = 1, Sequence = 1, Time = now.ToTimestamp() };
        batch.Series.Add(new V1.Series { Id = 1, Measurement = "m", IntFields = { "a" } });
        batch.Series.Add(new V1.Series { Id = 1, Measurement = new string('x', 2_000_000), IntFields = { "a" } });
        batch.Series.Add(new V1.Series { Id = 2, Measurement = "n", IntFields = { "a" } });
        batch.Rows.Add(new V1.SeriesRow { Series = 1, IntValues = { 1 } });
        batch.Rows.Add(new V1.SeriesRow { Series = 2, IntValues = { 1, 2 } });
        batch.Rows.Add(new V1.SeriesRow { Series = 2, IntValues = { 1 } });
        batch.Rows.Add(new V1.SeriesRow { Series = 9, IntValues = { 1 } });

        _stream.Receive(new V1.ConnectRequest { Health = batch });

        await Goes(2);
        Assert.Equal((2, 3), (Account().Counts.Stored, Account().Counts.Rejected));
        Assert.Equal((RejectionReason.WrongName, 3L), Assert.Single(Account().Rejections));
    }

    [Fact]
    public async Task Positions_AsFarApartAsTheyCanBe_AreMissingAndHideNoOtherInstance()
    {
        const ulong last = long.MaxValue;
        const ulong mostOfAGap = 1ul << 32;
        using var other = _collector.NewStream(_queue);
        new FakeAgent(other, "i-2").Hello().Sample(_collector.Time.GetUtcNow(), 1);

        foreach (var (epoch, sequence) in new[] { (1ul, 1ul), (2ul, last), (3ul, last) })
            _agent.Sample(_collector.Time.GetUtcNow(), sequence, epoch, hasPoint: false);

        var fleet = new FleetGrpcService(_collector.Store, _collector.Policies, _collector.Seals, _collector.Agents, _collector.Time);
        var instances = (await fleet.ListInstances(new V1.ListInstancesRequest(), null!)).Instances;
        var accounts = _collector.Store.Read(transaction => transaction.PointAccounts.Of(null, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1_000)));
        var gaps = _collector.Store.Read(transaction => transaction.LaneGaps.Of("i-1", 10));
        Assert.Equal([("i-1", 2 * mostOfAGap), ("i-2", 0ul)], instances.Select(instance => (instance.Id, instance.MissingBatches)).Order());
        Assert.Equal(2 * (long)mostOfAGap, accounts.Where(account => account.InstanceId == "i-1").Sum(account => account.MissingBatches));
        Assert.Equal([last - 1, last - 1], gaps.Select(gap => gap.Gap.Count));
    }

    /// <summary>The lane goes on, and what came so far is acknowledged.</summary>
    private async Task Goes(ulong sequence)
    {
        _agent.Sample(_collector.Time.GetUtcNow(), sequence);
        await Eventually.True(() => _queue.Watermark("i-1").Sequence == sequence, "an acknowledgement", TestContext.Current.CancellationToken);
    }

    private PointAccount Account() =>
        Assert.Single(_collector.Store.Read(transaction => transaction.PointAccounts.Of("i-1", DateTimeOffset.UnixEpoch, _collector.Time.GetUtcNow().AddDays(1))));

    private V1.Point Point() => new()
    {
        Measurement = "mem",
        Time = _collector.Time.GetUtcNow().ToTimestamp(),
        Fields = { new V1.Field { Name = "x", IntValue = 1 } },
    };
}
