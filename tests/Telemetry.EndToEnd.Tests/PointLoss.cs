using System.Text.Json;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A load of points with a bad one in every batch, from an instance to a collector that writes to a real server, and what became of it.</summary>
internal sealed class PointLoss(Installation installation) : IAsyncDisposable
{
    private const int PointsOfABatch = 1_000;

    // The real clock's, and no two points at one time.
    private readonly DateTimeOffset _begin = TimeProvider.System.GetUtcNow().AddMinutes(-10);
    private WireAgent _agent = null!;
    private ulong _sequence;
    private int _batches;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private long Good { get; set; }

    private long Bad { get; set; }

    public async Task Connect() => _agent = await WireAgent.Connect(installation.AgentsServer, "i-1");

    /// <summary>A batch without a bad one, which makes of the field a number, and waits until it is there.</summary>
    public async Task DeliverGood(Func<Task<long>> count)
    {
        await _agent.Deliver(NewBatch(hasBad: false));
        await Eventually.Get(
            async () => await count() >= PointsOfABatch ? "all" : null, "the first points", Cancellation, () => installation.Collector.Log, TimeSpan.FromMilliseconds(100));
    }

    /// <summary>The first of each batch is a text where numbers are.</summary>
    public async Task Deliver(int batches)
    {
        for (var i = 0; i < batches; i++)
            await _agent.Deliver(NewBatch(hasBad: true));
    }

    /// <summary>Every good point is there, and no other; every bad one is counted and set aside with a reason; memory stays bounded.</summary>
    public async Task NothingIsLost(Func<Task<long>> count)
    {
        var (found, stored, rejected) = (0L, 0L, 0L);
        await Eventually.Get(
            async () =>
            {
                found = await count();
                var accounts = (await installation.Succeed("reports", "coverage", "--instance", "i-1")).EnumerateArray().ToList();
                (stored, rejected) = (accounts.Sum(account => account.GetProperty("stored").GetInt64()), accounts.Sum(account => account.GetProperty("rejected").GetInt64()));
                return found == Good && stored == found && rejected == Bad ? "all" : null;
            },
            $"{Good} good points and {Bad} bad ones",
            Cancellation,
            () => $"There are {found}, {stored} are stored and {rejected} rejected. {installation.Collector.Log}",
            TimeSpan.FromMilliseconds(250));

        var setAside = await File.ReadAllLinesAsync(installation["collector/points-set-aside.lp"], Cancellation);
        var lines = setAside.Where(line => !line.StartsWith('#')).ToList();
        Assert.Equal(Bad, lines.Count);
        Assert.Equal(Bad, lines.Distinct().Count());
        Assert.All(lines, line => Assert.Contains("\"text\"", line, StringComparison.Ordinal));
        Assert.All(setAside.Where(line => line.StartsWith('#')), comment => Assert.Matches("^# [^ ]+ 1 of i-1: .{10,}", comment));

        // An idle collector has some 100 MB; four batches in flight are at most 32 MiB.
        Assert.InRange(Peak(), 1, 400);
    }

    public async Task<JsonElement> Status()
    {
        var finished = await installation.Ctl("reports", "timeseries");
        Assert.True(finished.ExitCode is 0 or 1, finished.Error);
        var status = JsonDocument.Parse(finished.Output).RootElement;
        Assert.Equal(finished.ExitCode == 0, status.GetProperty("state").GetString() == "working");
        return status;
    }

    public Task Becomes(string state)
    {
        var seen = "";
        return Eventually.Get(
            async () => (seen = (await Status()).GetProperty("state").GetString()!) == state ? "yes" : null,
            $"the store to be {state}", Cancellation, () => $"It is {seen}. {installation.Collector.Log}");
    }

    public ValueTask DisposeAsync() => _agent is null ? default : _agent.DisposeAsync();

    private HealthBatch NewBatch(bool hasBad)
    {
        var batch = new HealthBatch { Epoch = 1, Sequence = ++_sequence };
        var first = PointsOfABatch * _batches++;
        batch.Points.AddRange(Enumerable.Range(first, PointsOfABatch).Select(Point));
        if (hasBad)
            batch.Points[0].Fields[0].StringValue = "text";
        Good += PointsOfABatch - (hasBad ? 1 : 0);
        Bad += hasBad ? 1 : 0;
        return batch;
    }

    private Point Point(int number) => new()
    {
        Measurement = "load",
        Time = _begin.AddMilliseconds(number).ToTimestamp(),
        Fields = { new Field { Name = "x", IntValue = number } },
    };

    /// <summary>In MB.</summary>
    private long Peak() => long.Parse(
        File.ReadLines($"/proc/{installation.Collector.ProcessId}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture) / 1024;
}
