using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Collector.TimeSeries.Embedded;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>What every store of time series answers, whatever it is.</summary>
public abstract class SeriesContract : IAsyncDisposable
{
    // Of a past hour, with every second of it long over.
    private static readonly DateTimeOffset Start = new(2026, 3, 3, 10, 0, 0, TimeSpan.Zero);

    private protected abstract ISeriesReader Reader { get; }

    private protected static DateTimeOffset Now => Start.AddDays(1);

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task Aggregates_OfTwoHosts_AreThoseCountedByHand()
    {
        await Begin();

        // a: 1 2 3 4 5 6 in the first minute, 7 … 12 in the second; b: a hundred times that.
        var lines = Enumerable.Range(0, 12).SelectMany(i => (string[])[Line("m,host=a,cpu=c0", 10 * i, i + 1), Line("m,host=b,cpu=c0", 10 * i, 100 * (i + 1))]);
        await Write([.. lines]);

        foreach (var (aggregate, a, b) in ((Aggregate, double[], double[])[])
            [
                (Aggregate.Mean, [3.5, 9.5], [350, 950]),
                (Aggregate.Min, [1, 7], [100, 700]),
                (Aggregate.Max, [6, 12], [600, 1200]),
                (Aggregate.Sum, [21, 57], [2100, 5700]),
                (Aggregate.Last, [6, 12], [600, 1200]),
                (Aggregate.Count, [6, 6], [6, 6]),
            ])
        {
            var answer = await Ask(new SeriesQuery("m", "x", aggregate, Start, Start.AddMinutes(5), TimeSpan.FromMinutes(1)) { By = ["host"] });
            Assert.Equal([(0, a[0]), (60, a[1])], answer["a"]);
            Assert.Equal([(0, b[0]), (60, b[1])], answer["b"]);
        }

        var together = await Ask(new SeriesQuery("m", "x", Aggregate.Sum, Start, Start.AddMinutes(5), TimeSpan.FromMinutes(2)));
        Assert.Equal([(0, 101.0 * 78)], together[""]);
    }

    [Fact]
    public async Task Across_PutsTogetherWhatEachSeriesWasInAStep()
    {
        await Begin();

        // a has two layers, of 1 … 6 and ten times that in the first minute; in the second only one, of 7; b has one.
        await Write(
        [
            .. Enumerable.Range(0, 6).SelectMany(i => (string[])[Line("m,host=a,layer=x", 10 * i, i + 1), Line("m,host=a,layer=y", 10 * i, 10 * (i + 1))]),
            Line("m,host=a,layer=x", 60, 7),
            Line("m,host=b,layer=x", 0, 1000),
        ]);

        foreach (var (aggregate, across, first, second) in ((Aggregate, Aggregate, double, double)[])
            [
                (Aggregate.Last, Aggregate.Sum, 66, 7),
                (Aggregate.Max, Aggregate.Mean, 33, 7),
                (Aggregate.Mean, Aggregate.Min, 3.5, 7),
                (Aggregate.Min, Aggregate.Max, 10, 7),
                (Aggregate.Count, Aggregate.Sum, 12, 1),
            ])
        {
            var answer = await Ask(new SeriesQuery("m", "x", aggregate, Start, Start.AddMinutes(5), TimeSpan.FromMinutes(1)) { By = ["host"], Across = across });
            Assert.Equal([(0, first), (60, second)], answer["a"]);
            Assert.Equal([(0, 1000 * (aggregate == Aggregate.Count ? 0.001 : 1))], answer["b"]);
        }

        var whole = await Ask(new SeriesQuery("m", "x", Aggregate.Max, Start, Start.AddMinutes(5), Step: null) { Where = [new("host", "a")], Across = Aggregate.Sum });
        Assert.Equal([(0, 67)], whole[""]);
    }

    [Fact]
    public async Task Range_HoldsItsBeginAndNotItsEnd()
    {
        await Begin();
        await Write([.. Enumerable.Range(0, 7).Select(i => Line("m,host=a", 10 * i, 1 << i))]);

        var answer = await Ask(new SeriesQuery("m", "x", Aggregate.Sum, Start.AddSeconds(10), Start.AddSeconds(50), TimeSpan.FromSeconds(20)));
        Assert.Equal([(0, 2), (20, 4 + 8), (40, 16)], answer[""]);

        var whole = await Ask(new SeriesQuery("m", "x", Aggregate.Last, Start.AddSeconds(10), Start.AddSeconds(50), Step: null));
        Assert.Equal([(10, 16)], whole[""]);
    }

    [Fact]
    public async Task Steps_AndSeriesWithoutValues_AreLeftOut()
    {
        await Begin();
        await Write(Line("m,host=a", 0, 1), Line("m,host=a", 240, 2), Line("m,host=b", 4_000, 3), Line("m", 60, 4));

        var answer = await Ask(new SeriesQuery("m", "x", Aggregate.Mean, Start, Start.AddMinutes(5), TimeSpan.FromMinutes(1)) { By = ["host"] });

        Assert.Equal(["", "a"], answer.Keys.Order());
        Assert.Equal([(0, 1), (240, 2)], answer["a"]);
        Assert.Equal([(60, 4)], answer[""]);
        foreach (var nothing in (SeriesQuery[])[Query("none", "x"), Query("m", "none"), Query("m", "x") with { Where = [new("host", "none")] }, Query("m", "x") with { Where = [new("none", "a")] }])
            Assert.Empty(await Ask(nothing));
    }

    /// <summary>Names and values with whatever InfluxQL gives a meaning, each of which finds itself and nothing else.</summary>
    [Theory]
    [InlineData("it's")]
    [InlineData("say \"hi\"")]
    [InlineData("back\\slash")]
    [InlineData("a' OR host != '")]
    [InlineData("x\" FROM other; DROP DATABASE telemetry; --")]
    [InlineData("comma, space = equals")]
    [InlineData("naïve ☃")]
    public async Task Names_WhateverTheyHold_AreNamesAndNothingElse(string text)
    {
        await Begin();
        await Write(
            Encoded("plain", "host", "a", "x"), Encoded(text, "host", "a", "x"), Encoded("m", text, "a", "x"), Encoded("m", "host", text, "x"), Encoded("m", "host", "b", text));

        Assert.Equal([(0, 1)], (await Ask(Query(text, "x")))[""]);
        Assert.Equal([(0, 1)], (await Ask(Query("m", text)))[""]);
        Assert.Equal([(0, 1)], (await Ask(Query("m", "x") with { Where = [new("host", text)] }))[""]);
        Assert.Equal([(0, 1)], (await Ask(Query("m", "x") with { Where = [new(text, "a")] }))[""]);
        Assert.Equal([(0, 1)], (await Ask(Query("m", "x") with { By = ["host"], Where = [new("host", text)] }))[text]);
        Assert.Equal([(0, 1)], (await Ask(Query("plain", "x")))[""]);
    }

    [Fact]
    public async Task Question_ForMoreThanAnybodyReads_IsRefused()
    {
        await Begin();
        await Write([.. Enumerable.Range(0, SeriesQuery.MaxSeries + 1).Select(i => Line($"m,host=h{i}", 0, i))]);

        Assert.True((await Assert.ThrowsAsync<SeriesException>(() => Ask(Query("m", "x") with { By = ["host"] }))).IsWrongQuestion);
        Assert.True((await Assert.ThrowsAsync<SeriesException>(() => Ask(Query("m", "x") with { Step = TimeSpan.FromSeconds(1), To = Start.AddDays(1) }))).IsWrongQuestion);
        Assert.Equal([(0, SeriesQuery.MaxSeries * (SeriesQuery.MaxSeries + 1) / 2)], (await Ask(Query("m", "x")))[""]);
    }

    [Fact]
    public async Task Question_ToAStoreThatHoldsNothing_IsAnsweredWithNothing()
    {
        await Begin();

        Assert.Empty(await Ask(Query("m", "x")));
    }

    [Fact]
    public async Task Question_ThatIsGivenUp_Ends()
    {
        await Begin();
        using var given = new CancellationTokenSource();
        await given.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Reader.QueryAsync(Query("m", "x"), given.Token));
    }

    private protected abstract Task Begin();

    private protected abstract Task Write(params IReadOnlyList<string> lines);

    private static SeriesQuery Query(string measurement, string field) =>
        new(measurement, field, Aggregate.Sum, Start, Start.AddMinutes(5), TimeSpan.FromMinutes(5));

    private static string Line(string series, int second, double value) =>
        string.Create(CultureInfo.InvariantCulture, $"{series} x={value} {Start.AddSeconds(second).ToUnixTimeMilliseconds()}000000");

    /// <summary>A point of value 1 at the start, as the collector encodes it.</summary>
    private static string Encoded(string measurement, string tag, string value, string field)
    {
        using var lines = new LineProtocol();
        lines.Append(new Protocol.V1.Point
        {
            Measurement = measurement,
            Tags = { [tag] = value },
            Fields = { new Protocol.V1.Field { Name = field, FloatValue = 1 } },
            Time = Protocol.Mapping.ManifestMapping.ToTimestamp(Start),
        });
        return Encoding.UTF8.GetString(lines.Lines).TrimEnd('\n');
    }

    /// <summary>By the tag grouped by: seconds after the start, and values.</summary>
    private async Task<Dictionary<string, IEnumerable<(int, double)>>> Ask(SeriesQuery query) =>
        (await Reader.QueryAsync(query, Cancellation)).ToDictionary(
            series => series.Tags.Values.SingleOrDefault(""),
            series => series.Points.Select(point => ((int)(point.At - Start).TotalSeconds, point.Value)));
}

/// <summary>A real InfluxDB 1.x.</summary>
public sealed class Influx1SeriesTests : SeriesContract
{
    private readonly Influxd _influxd = new();
    private readonly HttpClient _http = new();
    private ISeriesReader? _reader;

    private protected override ISeriesReader Reader => _reader!;

    public override async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _influxd.DisposeAsync();
    }

    [Fact]
    public async Task Server_ThatIsAway_IsToldOf()
    {
        var failed = await Assert.ThrowsAsync<SeriesException>(() => NewReader().QueryAsync(
            new SeriesQuery("m", "x", Aggregate.Mean, Now.AddDays(-1), Now, null), Cancellation));

        Assert.Contains(_influxd.Url, failed.Message, StringComparison.Ordinal);
    }

    private InfluxReader NewReader()
    {
        var options = new InfluxOptions(new Uri(_influxd.Url + "/"), "telemetry");
        return new InfluxReader(new InfluxClient(options, _http, TimeProvider.System), options, _ => Task.FromResult(ServerDialect.Of(ServerKind.Influx1, options)));
    }

    private protected override async Task Begin()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        await _influxd.Start();
        _reader = NewReader();
    }

    private protected override async Task Write(params IReadOnlyList<string> lines)
    {
        using var create = new FormUrlEncodedContent([new("q", "CREATE DATABASE telemetry")]);
        (await _http.PostAsync($"{_influxd.Url}/query", create, Cancellation)).EnsureSuccessStatusCode();
        using var body = new StringContent(string.Join('\n', lines));
        using var answer = await _http.PostAsync($"{_influxd.Url}/write?db=telemetry&precision=n", body, Cancellation);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }
}

/// <summary>The embedded store, asked while it has values in memory.</summary>
public class EmbeddedSeriesTests : SeriesContract
{
    private readonly TemporaryDirectory _folder = new();
    private readonly EmbeddedStore _store;

    public EmbeddedSeriesTests() =>
        _store = EmbeddedStore.Open(_folder.Path, new EmbeddedOptions(), new StandingClock(), NullLogger<EmbeddedStore>.Instance);

    private protected override ISeriesReader Reader => _store;

    private protected EmbeddedStore Store => _store;

    public override ValueTask DisposeAsync()
    {
        _store.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private protected override Task Begin() => Task.CompletedTask;

    private protected override Task Write(params IReadOnlyList<string> lines)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")));
        Assert.Empty(_store.Append([new StoredPoints(1, text, lines.Count, Owner: null)]).Refused);
        return Task.CompletedTask;
    }

    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}

/// <summary>The same, when all of it is in chunks.</summary>
public sealed class ChunkedSeriesTests : EmbeddedSeriesTests
{
    private protected override async Task Write(params IReadOnlyList<string> lines)
    {
        await base.Write(lines);
        Store.Flush();
    }
}
