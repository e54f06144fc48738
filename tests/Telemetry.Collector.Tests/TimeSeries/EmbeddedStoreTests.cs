using System.Text;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.Alerts;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Collector.TimeSeries.Embedded;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class EmbeddedStoreTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 3, 3, 0, 0, 0, TimeSpan.Zero);

    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _time = new(Start);
    private readonly SeriesGuard _guard;
    private EmbeddedStore _store;

    public EmbeddedStoreTests() => (_store, _guard) = (Open(), NewGuard());

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
    public async Task File_DamagedWhileItIsUsed_IsPutAsideAndANewOneBegins()
    {
        Reopen(guard: _guard);
        _store.Append([Lines.Batch([.. Enumerable.Range(0, 2_000).Select(i => Lines.Line($"m,x={i}", Start, ("x", 1)))])]);
        _store.Flush();
        Damage();
        var begun = 0;
        _store.BegunAnew = () => begun++;

        _store.Append([Lines.Batch(Lines.Line("m", Start, ("x", 1)))]);
        _store.Flush();
        _store.Append([Lines.Batch(Lines.Line("m", Start, ("x", 2)))]);

        Assert.Equal((1, 1), (begun, _store.SeriesCount));
        Assert.True(new FileInfo(_store.DamagedPath).Length > 100_000, "what was there is kept");
        Assert.Equal([3], await Values(Start, TimeSpan.FromMinutes(1)));
        Reopen();
        Assert.Equal([3], await Values(Start, TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Damage_ThatAQuestionComesUpon_IsPutAsideByWhoWritesNext()
    {
        _store.Append([Lines.Batch([.. Enumerable.Range(0, 2_000).Select(i => Lines.Line($"m,x={i}", Start, ("x", 1)))])]);
        _store.Flush();
        Damage();

        await Assert.ThrowsAsync<SeriesException>(() => Values(Start, TimeSpan.FromMinutes(1)));
        Assert.False(File.Exists(_store.DamagedPath));
        _store.Flush();

        Assert.True(File.Exists(_store.DamagedPath));
        Assert.Empty(await Values(Start, TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void Damage_IsToldAsLongAsTheFileLiesThere()
    {
        using var collector = new Collector();
        using var retention = new EmbeddedRetention(_store, new NoticeBoard(collector.Store, _time), _time, NullLogger<EmbeddedRetention>.Instance);
        Notice? Last() => collector.Store.Read(transaction => transaction.Notices.Last("timeseries-damage"));

        retention.LookForDamage();
        Assert.Null(Last());
        File.WriteAllText(_store.DamagedPath, "x");
        retention.LookForDamage();
        Assert.True(Last()!.IsOpen);
        File.Delete(_store.DamagedPath);
        retention.LookForDamage();
        Assert.False(Last()!.IsOpen);
    }

    [Fact]
    public async Task Lines_OfTheLogThatAreNone_AreLeftOutAndTheOthersAreThere()
    {
        _store.Append([Lines.Batch(Lines.Line("m", Start, ("x", 1)), Lines.Line("m", Start, ("x", 2)))]);
        Alter("UPDATE log SET lines = CAST('m x=4,y=oops 1' || char(10) || lines AS BLOB)");

        Reopen();

        Assert.Equal([3], await Values(Start, TimeSpan.FromMinutes(1)));
        Assert.Equal(2, _store.Waiting);
    }

    [Fact]
    public async Task File_FromBeforeFieldsHadATime_IsCompletedAndForgetsNone()
    {
        _store.Append([Lines.Batch(Lines.Line("m", Start, ("x", 1)))]);
        _store.Flush();
        Alter("ALTER TABLE series DROP COLUMN instance_id; ALTER TABLE fields DROP COLUMN instance_id; ALTER TABLE fields DROP COLUMN last_at;");

        Reopen();
        _store.Trim(Cancellation);

        Assert.Equal([1], await Values(Start, TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void Series_ThatNothingIsKeptOf_GiveTheirPlaceToOthers()
    {
        Reopen(guard: _guard);
        _guard.Admits("m,x=old"u8, "i-1");
        _store.Append([Lines.Batch(Lines.Line("m,x=old", Start, ("old", 1))), Lines.Batch(Lines.Line("m,x=on", Start, ("on", 1)))]);
        _store.Flush();
        for (var day = 1; day < 420; day += 10)
        {
            _time.SetUtcNow(Start.AddDays(day));
            _store.Append([Lines.Batch(Lines.Line("m,x=on", _time.GetUtcNow(), ("on", 1)))]);
            _guard.AdmitsLine("m,x=on on=1 1"u8, "i-1");
            _store.Flush();
            _store.Trim(Cancellation);
            Assert.Equal(day < 402 ? 2 : 1, _store.SeriesCount);
            Assert.Equal((_store.SeriesCount, _store.SeriesCount), (_guard.Usage.Series, _guard.Usage.Fields));
        }
    }

    [Fact]
    public void Series_WhoseDataGaveWayToOthers_GiveTheirPlaceToo()
    {
        Reopen(guard: _guard);
        _store.Append([Lines.Batch(Lines.Line("m,x=old", Start, ("old", 1)))]);
        _store.Flush();
        _time.SetUtcNow(Start.AddDays(30));
        _store.Append([Lines.Batch(Lines.Line("m,x=new", _time.GetUtcNow(), ("new", 1)))]);
        _store.Flush();
        Reopen(new EmbeddedOptions { LimitBytes = 1 }, _guard);

        _store.Trim(Cancellation);

        Assert.Equal(1, _store.SeriesCount);
    }

    [Fact]
    public void Shares_OfInstances_AreKnownAfterARestart()
    {
        Reopen(guard: _guard);
        _store.Append([Lines.Batch([.. Enumerable.Range(0, 40).Select(i => Lines.Line($"m,x={i}", Start, ($"f{i}", 1)))]) with { Owner = new PointOwner("i-1", Start, 1) }]);

        var after = NewGuard();
        Reopen(guard: after);

        Assert.Equal(60, Enumerable.Range(0, 200).Count(i => after.Admits(Encoding.UTF8.GetBytes($"m,y={i}"), "i-1")));
        Assert.Equal(10, Enumerable.Range(0, 200).Count(i => after.AdmitsLine(Encoding.UTF8.GetBytes($"m,x=1 g{i}=1 1"), "i-1")));
        Assert.True(after.AdmitsLine("m,z=1 z=1 1"u8, "i-2"));
    }

    [Fact]
    public async Task Texts_AreCountedAndNothingIsKeptOfThem()
    {
        var (_, texts) = _store.Append([Lines.Batch($"m x=1,t=\"a\",u=\"b, c=d\" {Start.ToUnixTimeMilliseconds()}000000")]);

        Assert.Equal(2, texts);
        Assert.Equal([1], await Values(Start, TimeSpan.FromMinutes(1)));
        Assert.Equal(CheckOutcome.NotPossible, (await _store.TestAsync(Cancellation)).Checks.Single(check => check.Name == "texts").Outcome);
    }

    [Theory]
    [InlineData(-401, false)]
    [InlineData(-399, true)]
    [InlineData(0.04, true)]
    [InlineData(0.05, false)]
    [InlineData(30_000, false)]
    public void Time_ThatIsNotKept_IsRefused(double days, bool isTaken)
    {
        var (refused, _) = _store.Append([Lines.Batch(Lines.Line("m", Start.AddDays(days), ("x", 1)))]);

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

    private void Reopen(EmbeddedOptions? options = null, SeriesGuard? guard = null)
    {
        _store.Dispose();
        _store = Open(options, guard);
    }

    private EmbeddedStore Open(EmbeddedOptions? options = null, SeriesGuard? guard = null) =>
        EmbeddedStore.Open(_folder.Path, options ?? new EmbeddedOptions(), _time, NullLogger<EmbeddedStore>.Instance, guard);

    private SeriesGuard NewGuard() => new(new SeriesLimits(PerInstance: 100) { FieldsPerInstance = 50 }, _time, NullLogger<SeriesGuard>.Instance);

    /// <summary>Done to the file by somebody else.</summary>
    private void Alter(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={EmbeddedStore.PathIn(_folder.Path)};Pooling=False");
        connection.Execute(sql);
    }

    /// <summary>All but its first page is overwritten, and nobody has the others in memory.</summary>
    private void Damage()
    {
        Alter("CREATE TABLE stranger (x); PRAGMA wal_checkpoint(TRUNCATE);");
        using var file = new FileStream(EmbeddedStore.PathIn(_folder.Path), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        var length = file.Length;
        file.Position = 8192;
        file.Write(Enumerable.Repeat((byte)0xff, (int)length - 8192).ToArray());
    }
}
