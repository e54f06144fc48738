using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Testing;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>What the writer makes of every kind of server: the same.</summary>
public abstract class WriteContract : IAsyncDisposable
{
    // The real clock's: a server drops what is older than it keeps points.
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private ulong _sequence;

    protected WriteContract() => Queue = new PointQueue(Collector.Store, Collector.KeepsAll, TimeProvider.System);

    private protected Collector Collector { get; } = new();

    private protected PointQueue Queue { get; }

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What it is found out to be.</summary>
    protected abstract string Kind { get; }

    private protected abstract InfluxOptions Options { get; }

    /// <summary>Whether the self-test finds the point that it wrote.</summary>
    protected virtual bool ReadsBack => true;

    public virtual ValueTask DisposeAsync()
    {
        Collector.Dispose();
        GC.SuppressFinalize(this);
        return default;
    }

    [Fact]
    public async Task Points_InAnyNumber_AreThereOnce()
    {
        await StartServer();
        await Add(2_500, i => Point("load", i));

        await WriteAll();

        await Has("load", 2_500);
        Assert.Equal(2_500, await Stored());
    }

    [Fact]
    public async Task Points_TheServerNeverTakes_AreSetAsideAndTheOthersWritten()
    {
        await StartServer();
        await Add(1, i => Point("load", i));
        await WriteAll();

        await Add(2_000, i => i is 7 or 1_234 or 1_999 ? Bad("load", i + 1) : Point("load", i + 1));
        var setAside = await WriteAll();

        await Has("load", 1_998);
        Assert.Equal(1_998, await Stored());
        var lines = (await File.ReadAllTextAsync(setAside.FilePath, Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Count(line => line[0] != '#'));
        Assert.All(lines.Where(line => line[0] == '#'), comment => Assert.Matches("^# .* of i-1: .{5,}", comment));
        Assert.All(lines.Where(line => line[0] != '#'), line => Assert.Contains("\"text\"", line, StringComparison.Ordinal));
    }

    /// <summary>A hundred instances, and a bad point in every batch of each.</summary>
    [Fact]
    public async Task Points_TheServerNeverTakes_InEveryBatch_CostNoGoodOne()
    {
        await StartServer();
        await Add(1, i => Point("load", i));
        await WriteAll();

        for (var instance = 0; instance < 100; instance++)
            await Add(60, i => (instance * 60) + i + 1 is var number && i == instance % 60 ? Bad("load", number) : Point("load", number), $"i-{instance}");
        var setAside = await WriteAll();

        await Has("load", 1 + (100 * 59));
        var lines = await File.ReadAllLinesAsync(setAside.FilePath, Cancellation);
        Assert.Equal(100, lines.Count(line => line[0] != '#'));
        Assert.Equal(
            Enumerable.Range(0, 100).Select(instance => $"i-{instance}").Order(StringComparer.Ordinal),
            lines.Where(line => line[0] == '#').Select(line => line.Split(' ')[4].TrimEnd(':')).Order(StringComparer.Ordinal));
        Assert.All(Enumerable.Range(0, 100), instance => Assert.Equal((instance == 1 ? 60 : 59, 1), Counted($"i-{instance}")));

        (long Stored, long Rejected) Counted(string instance) => Collector.Store.Read(transaction =>
            transaction.PointAccounts.Of(instance, DateTimeOffset.MinValue, DateTimeOffset.MaxValue) is [var account] ? (account.Counts.Stored, account.Counts.Rejected) : default);
    }

    [Fact]
    public async Task Points_WhileTheServerIsAway_WaitAndAreThereAfterwards()
    {
        await StartServer();
        await StopServer();
        await Add(500, i => Point("load", i));
        await using var writer = new RunningWriter(Collector, Queue, Options);
        await writer.Start();
        await Eventually.True(() => writer.Board.State.Trouble?.Action == WriteAction.Wait, "the writer to notice", Cancellation);

        await StartServer();
        await writer.Drained();

        await Has("load", 500);
        Assert.Null(writer.Board.State.Trouble);
    }

    [Fact]
    public async Task SelfTest_OfAServerThatWorks_FindsOutItsKindAndPasses()
    {
        await StartServer();
        await using var writer = new RunningWriter(Collector, Queue, Options with { Kind = null });

        var verdict = await writer.Store.TestAsync(Cancellation);

        Assert.True(verdict.HasPassed, verdict.Words);
        Assert.StartsWith(Kind, verdict.Store, StringComparison.Ordinal);
        Assert.Equal(ReadsBack ? CheckOutcome.Passed : CheckOutcome.NotPossible, verdict.Checks.Single(check => check.Name == "read").Outcome);
        Assert.Equal(ReadsBack, verdict.Words.EndsWith("gives them back", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SelfTest_OfAServerThatIsAway_SaysSo()
    {
        await using var writer = new RunningWriter(Collector, Queue, new InfluxOptions(new Uri($"http://127.0.0.1:{FreePort.Find()}/"), "telemetry"));

        var verdict = await writer.Store.TestAsync(Cancellation);

        Assert.False(verdict.HasPassed);
        Assert.Equal(("reach", CheckOutcome.Failed), (verdict.Checks.Single().Name, verdict.Checks.Single().Outcome));
        Assert.Contains("refused", verdict.Words, StringComparison.Ordinal);
    }

    protected abstract Task StartServer();

    protected abstract Task StopServer();

    /// <summary>Points of a measurement in the server, whose field is <c>x</c>.</summary>
    protected abstract Task<long> Count(string measurement);

    private protected V1.Point Point(string measurement, int number) => new()
    {
        Measurement = measurement,
        Time = _now.AddMilliseconds(number - 100_000).ToTimestamp(),
        Fields = { new V1.Field { Name = "x", IntValue = number } },
    };

    /// <summary>A text where numbers are: another type, or none that the server keeps.</summary>
    private protected V1.Point Bad(string measurement, int number)
    {
        var point = Point(measurement, number);
        point.Fields[0].StringValue = "text";
        return point;
    }

    private protected async Task Add(int count, Func<int, V1.Point> point, string instance = "i-1")
    {
        foreach (var part in Enumerable.Range(0, count).Chunk(100))
        {
            var batch = new V1.HealthBatch();
            batch.Points.AddRange(part.Select(point));
            var delivery = Queue.Prepare(new PointDelivery(instance, new HeadPosition(1, ++_sequence), batch, new SeriesNames()) { SampledAt = _now });
            await Collector.Store.WriteAsync(delivery);
        }
    }

    private protected async Task<SetAsideFile> WriteAll()
    {
        await using var writer = new RunningWriter(Collector, Queue, Options);
        await writer.Start();
        await writer.Drained();
        return writer.SetAside;
    }

    protected async Task Has(string measurement, long points)
    {
        var found = 0L;
        await Eventually.Get(async () => (found = await Count(measurement)) == points ? "all" : null, $"{points} points", Cancellation, () => $"There are {found}.");
    }

    private Task<long> Stored() => Task.FromResult(Collector.Store.Read(transaction =>
        transaction.PointAccounts.Of("i-1", DateTimeOffset.MinValue, DateTimeOffset.MaxValue).Sum(account => account.Counts.Stored)));
}
