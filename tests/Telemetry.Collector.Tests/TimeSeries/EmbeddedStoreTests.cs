using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.TimeSeries;
using Telemetry.Collector.TimeSeries.Embedded;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class EmbeddedStoreTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 3, 3, 0, 0, 0, TimeSpan.Zero);

    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _time = new(Start);
    private EmbeddedStore _store;

    public EmbeddedStoreTests() => _store = Open();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    /// <summary>Values of twenty days, every ten seconds; what is summed here by hand must be what each resolution sums to.</summary>
    [Fact]
    public async Task Downsampling_OfWeeks_KeepsSumsMeansAndExtremes()
    {
        const int PerDay = 8_640;
        var random = new Random(7);
        var values = new double[20 * PerDay];
        for (var day = 0; day < 20; day++)
        {
            var lines = new List<string>();
            for (var i = day * PerDay; i < (day + 1) * PerDay; i++)
            {
                // Sixteenths: a double sums them without rounding, in whatever order.
                values[i] = random.Next(-16_000, 16_000) / 16.0;
                lines.Add(Lines.Line("m,host=a", Start.AddSeconds(10 * i), ("x", values[i])));
            }

            _time.SetUtcNow(Start.AddDays(day + 1));
            _store.Append([Lines.Batch(lines)]);
            _store.Flush();
            _store.Trim(Cancellation);
        }

        var end = Start.AddDays(20);
        foreach (var (from, to, step) in ((int, int, TimeSpan)[])[(0, 20, TimeSpan.FromHours(1)), (7, 20, TimeSpan.FromMinutes(1)), (19, 20, TimeSpan.FromSeconds(10)), (0, 20, TimeSpan.FromMinutes(10))])
        {
            var expected = values.Index().Skip(from * PerDay).Take((to - from) * PerDay).GroupBy(one => Start.AddSeconds(10 * one.Index).Ticks / step.Ticks, one => one.Item).ToList();
            foreach (var (aggregate, of) in ((Aggregate, Func<IEnumerable<double>, double>)[])
                [(Aggregate.Sum, all => all.Sum()), (Aggregate.Mean, all => all.Average()), (Aggregate.Min, all => all.Min()), (Aggregate.Max, all => all.Max()), (Aggregate.Count, all => all.Count()), (Aggregate.Last, all => all.Last())])
            {
                var points = new List<SeriesPoint>();
                for (var begin = Start.AddDays(from); begin < Start.AddDays(to); begin += step * 8_640)
                    points.AddRange(Assert.Single(await _store.QueryAsync(new SeriesQuery("m", "x", aggregate, begin, Min(end, begin + (step * 8_640)), step), Cancellation)).Points);
                Assert.Equal(expected.Select(group => (group.Key * step.Ticks, of(group))), points.Select(point => (point.At.Ticks, point.Value)));
            }
        }
    }

    [Fact]
    public async Task Resolutions_AreKeptAsLongAsTheySay()
    {
        _time.SetUtcNow(Start.AddDays(401));
        foreach (var days in (double[])[0.5, 2, 15, 399, 402])
            _store.Append([Lines.Batch(Lines.Line("m", _time.GetUtcNow().AddDays(-days), ("x", days)))]);
        _store.Flush();
        _store.Trim(Cancellation);

        Assert.Equal([0.5, 2, 15, 399], (await Values(_time.GetUtcNow().AddDays(-401), TimeSpan.FromDays(1))).Order());

        // A fortnight back in minutes, two days in tens of seconds.
        var now = _time.GetUtcNow();
        Assert.Equal(now.AddDays(-2), Assert.Single((await Points(now.AddDays(-2).AddMinutes(-1), now.AddDays(-1), TimeSpan.FromMinutes(1)))).At);
        Assert.Equal(now.AddDays(-0.5), Assert.Single(await Points(now.AddDays(-1), now, TimeSpan.FromSeconds(10))).At);
        Assert.Equal(now.AddDays(-399), Assert.Single(await Points(now.AddDays(-399.5), now.AddDays(-398.5), TimeSpan.FromSeconds(10))).At);
    }

    [Fact]
    public async Task Values_BeforeAndAfterTheirChunk_AreAnsweredTheSame()
    {
        _store.Append([Lines.Batch([.. Enumerable.Range(0, 100).Select(i => Lines.Line("m,host=a", Start.AddSeconds(i - 100), ("x", i), ("y", -i)))])]);
        var before = await Points(Start.AddMinutes(-5), Start.AddMinutes(1), TimeSpan.FromSeconds(30));
        _store.Flush();
        var after = await Points(Start.AddMinutes(-5), Start.AddMinutes(1), TimeSpan.FromSeconds(30));
        _store.Append([Lines.Batch(Lines.Line("m,host=a", Start.AddSeconds(-1), ("x", 1_000_000)))]);
        var later = await Points(Start.AddMinutes(-5), Start.AddMinutes(1), TimeSpan.FromSeconds(30));

        Assert.Equal(before, after);
        Assert.Equal(4_950, before.Sum(point => point.Value));
        Assert.Equal(1_004_950, later.Sum(point => point.Value));
    }

    [Fact]
    public async Task Batch_ThatComesAgain_IsNotAddedAgain()
    {
        var batch = Lines.Batch(Lines.Line("m", Start, ("x", 1)));
        _store.Append([batch]);
        _store.Append([batch, Lines.Batch(Lines.Line("m", Start, ("x", 10)))]);
        _store.Flush();
        Reopen();
        _store.Append([batch]);

        Assert.Equal([11], await Values(Start, TimeSpan.FromMinutes(1)));

        // The queue was put back to an older copy: its numbers come again with other lines.
        _store.Append([Lines.Batch(Lines.Line("m", Start, ("x", 100))) with { Id = batch.Id }]);
        Assert.Equal([111], await Values(Start, TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Store_ThatIsOpenedAgain_HasWhatWasAddedInChunksAndNot()
    {
        _store.Append([Lines.Batch(Lines.Line("m,host=a", Start, ("x", 1)))]);
        _store.Flush();
        _store.Append([Lines.Batch(Lines.Line("m,host=b", Start, ("x", 2)))]);

        Reopen();

        Assert.Equal([1, 2], await Values(Start, TimeSpan.FromMinutes(1), "host"));
        Assert.Equal(1, _store.Waiting);
    }

    [Fact]
    public async Task File_ThatIsDamaged_IsSetAsideAndANewOneBegins()
    {
        _store.Dispose();
        SqliteConnection.ClearAllPools();
        File.WriteAllText(EmbeddedStore.PathIn(_folder.Path), new string('x', 100_000));

        _store = Open();
        _store.Append([Lines.Batch(Lines.Line("m", Start, ("x", 1)))]);

        Assert.StartsWith("xxx", File.ReadAllText(EmbeddedStore.PathIn(_folder.Path) + ".damaged"), StringComparison.Ordinal);
        Assert.Equal([1], await Values(Start, TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Series_BeyondTheLimit_AreRefusedAloneAndTheOthersGoOn()
    {
        Reopen(new EmbeddedOptions { MaxSeries = 2 });

        var refused = _store.Append([Lines.Batch([.. "abcab".Select((host, i) => Lines.Line($"m,host={host}", Start.AddSeconds(i), ("x", 1)))])]);

        var parcel = Assert.Single(refused);
        Assert.Equal((RejectionReason.TooManySeries, 1L), (parcel.Reason, parcel.Parcel.LineCount));
        Assert.StartsWith("m,host=c", System.Text.Encoding.UTF8.GetString(parcel.Parcel.Batches[0].Lines.Span), StringComparison.Ordinal);
        Assert.Equal([2, 2], await Values(Start, TimeSpan.FromMinutes(1), "host"));
    }

    [Theory]
    [InlineData(-401, false)]
    [InlineData(-399, true)]
    [InlineData(0.04, true)]
    [InlineData(0.05, false)]
    [InlineData(30_000, false)]
    public void Time_ThatIsNotKept_IsRefused(double days, bool isTaken)
    {
        var refused = _store.Append([Lines.Batch(Lines.Line("m", Start.AddDays(days), ("x", 1)))]);

        Assert.Equal(isTaken ? [] : [RejectionReason.WrongTime], refused.Select(parcel => parcel.Reason));
    }

    [Fact]
    public void File_BeyondItsLimit_LosesItsOldestAndStaysBelow()
    {
        const long Limit = 3 << 20;
        Reopen(new EmbeddedOptions { LimitBytes = Limit });
        var random = new Random(3);
        for (var hour = 0; hour < 48; hour++)
        {
            _time.SetUtcNow(Start.AddHours(hour + 1));
            _store.Append([Lines.Batch(
                [.. Enumerable.Range(0, 360).SelectMany(i => Enumerable.Range(0, 20).Select(s => Lines.Line($"m,s={s}", Start.AddHours(hour).AddSeconds(10 * i), ("x", random.NextDouble()))))])]);
            _store.Flush();
            _store.Trim(Cancellation);
            Assert.InRange(_store.Bytes, 0, Limit);
        }

        var now = _time.GetUtcNow();
        Assert.NotEmpty(Wait(Points(now.AddMinutes(-20), now, TimeSpan.FromSeconds(10))));
        Assert.InRange(new FileInfo(EmbeddedStore.PathIn(_folder.Path)).Length, 0, 3 * Limit);
    }

    [Fact]
    public async Task Question_ThatIsGivenUp_Ends()
    {
        _store.Append([Lines.Batch([.. Enumerable.Range(0, 50).Select(i => Lines.Line($"m,s={i}", Start, ("x", i)))])]);
        _store.Flush();
        using var given = new CancellationTokenSource();
        await given.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _store.QueryAsync(Query(Start, Start.AddHours(1), TimeSpan.FromMinutes(1)), given.Token));
    }

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static DateTimeOffset Min(DateTimeOffset left, DateTimeOffset right) => left < right ? left : right;

    private static SeriesQuery Query(DateTimeOffset from, DateTimeOffset to, TimeSpan? step, params IReadOnlyList<string> by) => new("m", "x", Aggregate.Sum, from, to, step) { By = by };

    private async Task<IReadOnlyList<SeriesPoint>> Points(DateTimeOffset from, DateTimeOffset to, TimeSpan step) =>
        (await _store.QueryAsync(Query(from, to, step), Cancellation)).SingleOrDefault()?.Points ?? [];

    private async Task<IEnumerable<double>> Values(DateTimeOffset from, TimeSpan step, params IReadOnlyList<string> by) =>
        (await _store.QueryAsync(Query(from, _time.GetUtcNow().AddHours(1), step, by), Cancellation)).SelectMany(series => series.Points).Select(point => point.Value);

    private void Reopen(EmbeddedOptions? options = null)
    {
        _store.Dispose();
        _store = Open(options);
    }

    private EmbeddedStore Open(EmbeddedOptions? options = null) => EmbeddedStore.Open(_folder.Path, options ?? new EmbeddedOptions(), _time, NullLogger<EmbeddedStore>.Instance);
}
