using System.Globalization;
using System.IO.Compression;
using System.Net;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class PointQueueTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly PointQueue _queue;

    public PointQueueTests() => _queue = new PointQueue(_collector.Store, Collector.KeepsAll, TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public async Task Points_ThatCannotBeWritten_AreRejectedWithTheirReason()
    {
        var far = Point("far");
        far.Time = null;
        V1.Point[] points =
        [
            Point("good"), far, Point("#name"),
            Point("nan", new V1.Field { Name = "x", FloatValue = double.NaN }),
            Point("none", new V1.Field { Name = "time", IntValue = 1 }),
            Point("long", new V1.Field { Name = "x", StringValue = new string('x', 70_000) }),
        ];

        await Add(1, points);

        var account = Account();
        Assert.Equal(new PointCounts(6, 1, 5, 0, 0), account.Counts);
        Assert.Equal(
            [
                (RejectionReason.WrongTime, 1L), (RejectionReason.NotFinite, 1), (RejectionReason.WrongName, 1),
                (RejectionReason.NoFields, 1), (RejectionReason.TooBig, 1),
            ],
            account.Rejections);
    }

    [Fact]
    public async Task Losses_ThatAreTold_AreCountedByTheirReason()
    {
        var batch = new V1.HealthBatch { Collected = 1 };
        batch.Points.Add(Point("good"));
        foreach (var reason in (V1.LossReason[])[V1.LossReason.SpoolFull, V1.LossReason.SpoolDamaged, V1.LossReason.NotWanted])
            batch.Losses.Add(new V1.Loss { Hour = Some.Time.ToTimestamp(), Points = 10 * (ulong)reason, Reason = reason });

        await Deliver(batch, 1);

        Assert.Equal(new PointCounts(61, 1, 0, 10, 20, 30), Account().Counts);
    }

    [Fact]
    public void Deliveries_ThatLeaveOutSome_AreNoticed()
    {
        var agent = new FakeAgent(_collector.NewStream(_queue)).Hello();
        foreach (var sequence in (ulong[])[1, 2, 5, 6, 10])
            agent.Sample(Some.Time, sequence);
        agent.Sample(Some.Time, sequence: 3, epoch: 2);

        Assert.Equal(
            [new LaneGap(V1.Lane.Health, 2, 1, 2), new LaneGap(V1.Lane.Health, 1, 7, 9), new LaneGap(V1.Lane.Health, 1, 3, 4)],
            _collector.Store.Read(transaction => transaction.LaneGaps.Of("i-1", 10)).Select(gap => gap.Gap));
    }

    [Fact]
    public void Deliveries_OnANewStream_GoOnWhereTheStoredOnesEnded()
    {
        new FakeAgent(_collector.NewStream(_queue)).Hello().Sample(Some.Time, 2);
        new FakeAgent(_collector.NewStream(_queue)).Hello().Sample(Some.Time, 3);
        new FakeAgent(_collector.NewStream(_queue)).Hello().Sample(Some.Time, 5);

        Assert.Equal(new LaneGap(V1.Lane.Health, 1, 4, 4), Assert.Single(_collector.Store.Read(transaction => transaction.LaneGaps.Of("i-1", 10))).Gap);
    }

    [Fact]
    public void Points_OfACollectorWithoutAStore_AreDroppedAndCounted()
    {
        new FakeAgent(_collector.NewStream()).Hello().Sample(Some.Time, 1);

        Assert.Equal(new PointCounts(1, 0, 0, 0, 0, 1), Account().Counts);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, 5)]
    [InlineData(HttpStatusCode.RequestEntityTooLarge, 6)]
    public async Task Lines_TheServerDoesNotTake_AreFoundAndSetAside(HttpStatusCode status, int reason)
    {
        for (var sequence = 1; sequence <= 3; sequence++)
            await Add((ulong)sequence, [.. Enumerable.Range(1, 40).Select(i => Point(sequence == 2 && i == 7 ? "bad" : string.Create(CultureInfo.InvariantCulture, $"m{sequence}.{i}")))]);
        var server = new StubServer(lines => lines.Exists(line => line.StartsWith("bad", StringComparison.Ordinal)) ? status : HttpStatusCode.NoContent);

        await Write(server);

        Assert.Equal(119, server.Taken.Distinct().Count());
        Assert.Equal((RejectionReason)reason, Assert.Single(Account().Rejections).Reason);
        Assert.Equal((119, 1), (Account().Counts.Stored, Account().Counts.Rejected));
        Assert.Matches($"^# .* 1 of i-1: {(int)status} the server's words\nbad x=1i [0-9]+\n$", File.ReadAllText(_collector.DataDirectory + "/points-set-aside.lp"));
    }

    [Fact]
    public async Task Batches_LargerThanARequest_GoOneAfterTheOther()
    {
        // Four of 60 KiB a batch, and 100 batches: 24 MB.
        for (var i = 0; i < 100; i++)
            await _queue.AddAsync([.. Enumerable.Range(0, 4).Select(_ => Point("log", new V1.Field { Name = "x", StringValue = new string('x', 60_000) }))]);
        var server = new StubServer(_ => HttpStatusCode.NoContent);

        await Write(server);

        Assert.Equal(400, server.Taken.Count);
        Assert.InRange(server.Largest, 1, 8 << 20);
    }

    [Fact]
    public async Task Queue_ThatIsFull_DropsTheOldestAndSaysSo()
    {
        var queue = new PointQueue(_collector.Store, Collector.KeepsAll, TimeProvider.System, limit: 1_000_000);
        for (var sequence = 1ul; sequence <= 5; sequence++)
        {
            await AddAsync(queue, Delivery(Text(sequence, 60_000), 5 * sequence, sequence));
            await queue.AddAsync([.. Text(sequence, 10_000)]);
        }

        // 350,000 bytes each: two of five fit. One that is on its way to the server is kept, for it may have it already.
        var taken = await queue.TakeAsync(1, 1, onlyFull: false);
        await AddAsync(queue, Delivery(Text(6, 60_000), 30, 6));

        Assert.InRange(_collector.Store.Read(transaction => transaction.Points.Waiting()).Bytes, 700_000, 1_000_000);
        Assert.Contains(_collector.Store.Read(transaction => transaction.Points.Oldest(10_000, long.MaxValue)), batch => batch.Id == taken!.Batches[0].Id);
        var account = Account();
        Assert.Equal((30, 0), (account.Counts.Stored + account.Counts.Rejected, account.Counts.Untold));
        Assert.Equal((RejectionReason.QueueFull, account.Counts.Rejected), Assert.Single(account.Rejections));
        Assert.True(account.Counts.Rejected >= 10);
    }

    /// <summary>What gives way and what is taken is decided one after the other, whoever comes first.</summary>
    [Fact]
    public async Task Points_TakenWhileOthersGiveWay_AreCountedOnce()
    {
        const int Deliveries = 300;
        var queue = new PointQueue(_collector.Store, Collector.KeepsAll, TimeProvider.System, limit: 20_000);
        var adding = Task.Run(
            async () =>
            {
                for (var sequence = 1ul; sequence <= Deliveries; sequence++)
                {
                    var prepared = queue.Prepare(Delivery(Text(sequence, 400), 5 * sequence, sequence));
                    await _collector.Store.WriteAsync(prepared);
                }
            },
            Cancellation);

        var (written, refused) = (0L, 0L);
        while (true)
        {
            // Seen before the look: what is added between the two is taken in another round.
            var isLast = adding.IsCompleted;
            if (await queue.TakeAsync(10, 4_000, onlyFull: false) is not { } parcel)
            {
                if (isLast)
                    break;
                continue;
            }

            var half = parcel.Halves()!.Value;
            await queue.DoneAsync(parcel, [new RefusedParcel(half.First, RejectionReason.RefusedByServer, "no")]);
            (written, refused) = (written + half.Second.LineCount, refused + half.First.LineCount);
        }

        await adding;
        var account = Account();
        Assert.Equal((written, 5L * Deliveries), (account.Counts.Stored, account.Counts.Stored + account.Counts.Rejected));
        Assert.Equal(refused, account.Rejections.Single(rejection => rejection.Reason == RejectionReason.RefusedByServer).Points);
        Assert.Equal((0, 0), _collector.Store.Read(transaction => transaction.Points.Waiting()));
    }

    [Fact]
    public async Task Take_OnlyFull_WaitsForEnoughAndTakesNoneTwice()
    {
        await Add(1, Point("a"), Point("b"));
        Assert.Null(await _queue.TakeAsync(4, 1_000_000, onlyFull: true));

        await Add(2, Point("c"), Point("d"), Point("e"));
        var full = await _queue.TakeAsync(4, 1_000_000, onlyFull: true);
        var rest = await _queue.TakeAsync(4, 1_000_000, onlyFull: false);

        Assert.Equal((2, 3), (full!.LineCount, rest!.LineCount));
        Assert.Null(await _queue.TakeAsync(4, 1_000_000, onlyFull: false));
    }

    [Fact]
    public void FirstLine_WithALineEndInAText_EndsBehindIt()
    {
        using var lines = new LineProtocol();
        lines.Append(Point("a\"b", new V1.Field { Name = "x", StringValue = "say \"hi\"\nand more\\" }));
        var first = lines.Lines.Length;
        lines.Append(Point("c"));

        Assert.Equal(first, LineProtocol.FirstLine(lines.Lines));
        Assert.Equal(lines.Lines.Length - first, LineProtocol.FirstLine(lines.Lines[first..]));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(24 * 365 * 1000, false)]
    [InlineData(-24 * 399, true)]
    [InlineData(-24 * 401, false)]
    public async Task Account_OfAnHourThatNobodyKeeps_IsNotKept(int hoursAhead, bool isKept)
    {
        var hour = Some.Time.AddHours(hoursAhead);
        var batch = new V1.HealthBatch { Epoch = 1, Sequence = 1, Collected = 10 };
        batch.Losses.Add(new V1.Loss { Hour = hour.ToTimestamp(), Points = 7, Reason = V1.LossReason.SpoolFull });
        var queue = new PointQueue(_collector.Store, Collector.StoreOptions, _collector.Time);

        var adding = AddAsync(queue, new PointDelivery("i-1", new HeadPosition(1, 1), batch, new SeriesNames()) { SampledAt = hour });
        _collector.Time.Advance(TimeSpan.FromMilliseconds(100));
        await adding;

        var accounts = _collector.Store.Read(transaction => transaction.PointAccounts.Of("i-1", DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        PointCounts[] expected = isKept ? [new PointCounts(10, 0, 0, 7, 0, 0)] : [];
        Assert.Equal(expected, accounts.Select(account => account.Counts));
    }

    private async Task Write(StubServer server)
    {
        await using var writer = new RunningWriter(_collector, _queue, new InfluxOptions(new Uri("http://127.0.0.1:1/"), "telemetry") { Kind = ServerKind.Influx1 }, handler: server);
        await writer.Start();
        await writer.Drained();
    }

    private Task Add(ulong sequence, params V1.Point[] points)
    {
        var batch = new V1.HealthBatch { Collected = sequence * (ulong)points.Length };
        batch.Points.AddRange(points);
        return Deliver(batch, sequence);
    }

    private Task Deliver(V1.HealthBatch batch, ulong sequence) =>
        AddAsync(_queue, new PointDelivery("i-1", new HeadPosition(1, sequence), batch, new SeriesNames()) { SampledAt = Some.Time });

    private static Task AddAsync(PointQueue queue, PointDelivery delivery) => queue.AddAsync([queue.Prepare(delivery)]);

    private static PointDelivery Delivery(IEnumerable<V1.Point> points, ulong collected, ulong sequence)
    {
        var batch = new V1.HealthBatch { Collected = collected };
        batch.Points.AddRange(points);
        return new PointDelivery("i-1", new HeadPosition(1, sequence), batch, new SeriesNames()) { SampledAt = Some.Time };
    }

    private static IEnumerable<V1.Point> Text(ulong name, int length) =>
        Enumerable.Range(0, 5).Select(i => Point(string.Create(CultureInfo.InvariantCulture, $"m{name}.{i}"), new V1.Field { Name = "x", StringValue = new string('x', length) }));

    private PointAccount Account() => Assert.Single(_collector.Store.Read(transaction => transaction.PointAccounts.Of("i-1", Some.Time, Some.Time.AddHours(1))));

    private static V1.Point Point(string measurement, V1.Field? field = null) => new()
    {
        Measurement = measurement,
        Time = Some.Time.ToTimestamp(),
        Fields = { field ?? new V1.Field { Name = "x", IntValue = 1 } },
    };

    /// <summary>Stands in for a server: answers each request by its lines, and keeps those of the requests it took.</summary>
    private sealed class StubServer(Func<List<string>, HttpStatusCode> answer) : HttpMessageHandler
    {
        // Several requests are under way at once.
        private readonly Lock _gate = new();

        public List<string> Taken { get; } = [];

        public int Largest { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await using var body = new GZipStream(await request.Content!.ReadAsStreamAsync(cancellationToken), CompressionMode.Decompress);
            using var reader = new StreamReader(body);
            var text = await reader.ReadToEndAsync(cancellationToken);
            var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList();
            var status = answer(lines);
            lock (_gate)
            {
                Largest = Math.Max(Largest, text.Length);
                if (status == HttpStatusCode.NoContent)
                    Taken.AddRange(lines);
            }

            return new HttpResponseMessage(status) { Content = new StringContent("the server's words") };
        }
    }
}
