using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>
/// A load of points with a bad one in every batch, from several instances to a collector that writes to a real server, and what became
/// of it. Each batch is delivered when the one before is stored, so nothing depends on how fast this machine is.
/// </summary>
/// <param name="count">Of the good points in the server.</param>
/// <param name="points">The good points in the server.</param>
internal sealed partial class PointLoss(Installation installation, Func<Task<long>> count, Func<Task<IReadOnlyList<(long Milliseconds, double Value)>>> points)
    : IAsyncDisposable
{
    public const int Instances = 4;
    public const int PointsOfABatch = 200;

    /// <summary>In MB, above what it has before. Four requests are under way at once, of at most 8 MiB of lines each; the rest is what waits for a garbage collection.</summary>
    public const int MostMemory = 300;

    // The real clock's, and no two points at one time.
    private readonly DateTimeOffset _begin = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().AddMinutes(-30).ToUnixTimeMilliseconds());
    private readonly List<WireAgent> _agents = [];
    private readonly ulong[] _sequences = new ulong[Instances];
    private readonly ConcurrentQueue<(int Number, bool HasBad)> _batches = [];
    private int _lastBatch = -1;
    private int _gone;
    private long _idle;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A text beside each number; null: none.</summary>
    public string? Text { get; init; }

    /// <summary>What a bad point is refused for.</summary>
    public required string Reason { get; init; }

    private long Good => _batches.Sum(batch => PointsOfABatch - (batch.HasBad ? 1 : 0));

    private long Bad => _batches.Count(batch => batch.HasBad);

    public long Bytes => _batches.Count * (long)PointsOfABatch * (Text?.Length ?? 0);

    /// <summary>With a batch without a bad one, which makes of the field a number, and waits until it is there.</summary>
    public async Task Begin()
    {
        for (var i = 0; i < Instances; i++)
            _agents.Add(await WireAgent.Connect(installation.AgentsServer, $"i-{i}", TimeProvider.System.GetUtcNow()));
        await DeliverGood();

        // From here on the highest that is resident is counted anew.
        await File.WriteAllTextAsync($"/proc/{installation.Collector.ProcessId}/clear_refs", "5", Cancellation);
        _idle = Peak();
    }

    public async Task DeliverGood()
    {
        await Deliver(0, hasBad: false);
        await AreThere(PointsOfABatch);
    }

    /// <summary>From each instance so many.</summary>
    public Task Deliver(int batches) => Task.WhenAll(Enumerable.Range(0, Instances).Select(async instance =>
    {
        for (var i = 0; i < batches; i++)
            await Deliver(instance, hasBad: true);
    }));

    /// <summary>Batch after batch, from each instance, until it is enough.</summary>
    public Task DeliverUntil(Func<bool> isEnough) => Task.WhenAll(Enumerable.Range(0, Instances).Select(async instance =>
    {
        while (!isEnough())
            await Deliver(instance, hasBad: true);
    }));

    /// <summary>The server lost what it has now: it will not be missed.</summary>
    public async Task LoseWhatIsThere(Func<Task> losing)
    {
        _gone = _batches.Count;
        await losing();
    }

    /// <summary>Waits until the server has so many more than now.</summary>
    public async Task More(int points) => await AreThere(await count() + points);

    /// <summary>Every good point is there, once and as it was, and no other; every bad one is counted and set aside, with whose it is and why; memory stays bounded.</summary>
    public async Task NothingIsLost()
    {
        var expected = _batches.Skip(_gone).SelectMany(batch => GoodOf(batch.Number, batch.HasBad)).Select(number => (At(number).ToUnixTimeMilliseconds(), (double)number)).Order().ToList();
        var (found, stored, rejected) = (0L, 0L, 0L);
        await Eventually.Get(
            async () =>
            {
                found = await count();
                var accounts = (await installation.Succeed("reports", "coverage")).EnumerateArray().ToList();
                (stored, rejected) = (accounts.Sum(account => account.GetProperty("stored").GetInt64()), accounts.Sum(account => account.GetProperty("rejected").GetInt64()));
                return found == expected.Count && stored == Good && rejected == Bad ? "all" : null;
            },
            $"{expected.Count} of {Good} good points and {Bad} bad ones",
            Cancellation,
            () => $"There are {found}, {stored} are stored and {rejected} rejected. {installation.Collector.Log}",
            TimeSpan.FromMilliseconds(250));

        Assert.Equal(expected, (await points()).Order());
        await BadAreSetAside();
        Assert.InRange(Peak() - _idle, 0, MostMemory);
    }

    public async Task<JsonElement> Status()
    {
        var finished = await installation.Ctl("reports", "timeseries");
        Assert.True(finished.ExitCode is 0 or 1, finished.Error);
        var status = JsonDocument.Parse(finished.Output).RootElement;
        Assert.Equal(finished.ExitCode == 0, status.GetProperty("state").GetString() == "working");
        return status;
    }

    public Task<JsonElement> Becomes(string state) => Becomes(status => status.GetProperty("state").GetString() == state, state);

    public Task Waits(long bytes) => Becomes(
        status => status.GetProperty("state").GetString() == "waiting" && status.GetProperty("waiting_bytes").GetInt64() >= bytes, $"waiting with {bytes} bytes");

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
            await agent.DisposeAsync();
    }

    private async Task<JsonElement> Becomes(Predicate<JsonElement> isSo, string state)
    {
        JsonElement seen = default;
        await Eventually.Get(
            async () => isSo(seen = await Status()) ? "yes" : null, $"the store to be {state}", Cancellation, () => $"It is {seen}. {installation.Collector.Log}", TimeSpan.FromMilliseconds(100));
        return seen;
    }

    private Task AreThere(long points) => Eventually.Get(
        async () => await count() >= points ? "so many" : null, $"{points} points in the server", Cancellation, () => installation.Collector.Log, TimeSpan.FromMilliseconds(100));

    private async Task BadAreSetAside()
    {
        var (instance, announced, bad) = ("", 0, new List<int>());
        foreach (var line in await File.ReadAllLinesAsync(installation["collector/points-set-aside.lp"], Cancellation))
        {
            if (Comment().Match(line) is { Success: true } comment)
            {
                Assert.Equal(0, announced);
                (instance, announced) = (comment.Groups["instance"].Value, int.Parse(comment.Groups["lines"].Value, CultureInfo.InvariantCulture));
                Assert.Contains(Reason, comment.Groups["words"].Value, StringComparison.Ordinal);
                continue;
            }

            var refused = Line().Match(line);
            Assert.True(refused.Success, line);
            Assert.Equal(instance, refused.Groups["instance"].Value);
            bad.Add(int.Parse(refused.Groups["number"].Value, CultureInfo.InvariantCulture));
            announced--;
        }

        Assert.Equal(0, announced);
        Assert.Equal(_batches.Where(batch => batch.HasBad).Select(batch => BadOf(batch.Number)).Order(), bad.Order());
    }

    private async Task Deliver(int instance, bool hasBad)
    {
        var number = Interlocked.Increment(ref _lastBatch);
        var batch = new HealthBatch { Epoch = 1, Sequence = ++_sequences[instance] };
        batch.Points.AddRange(Enumerable.Range(number * PointsOfABatch, PointsOfABatch).Select(point => NewPoint(instance, point, hasBad && point == BadOf(number))));
        _batches.Enqueue((number, hasBad));
        await _agents[instance].DeliverStored(batch);
    }

    /// <summary>Its place is another in each batch.</summary>
    private static int BadOf(int batch) => (batch * PointsOfABatch) + (batch % PointsOfABatch);

    private static IEnumerable<int> GoodOf(int batch, bool hasBad) =>
        Enumerable.Range(batch * PointsOfABatch, PointsOfABatch).Where(number => !hasBad || number != BadOf(batch));

    private DateTimeOffset At(int number) => _begin.AddMilliseconds(number);

    private Point NewPoint(int instance, int number, bool isBad)
    {
        var point = new Point
        {
            Measurement = "load",
            Tags = { ["instance"] = $"i-{instance}" },
            Time = At(number).ToTimestamp(),
            Fields = { isBad ? new Field { Name = "x", StringValue = $"text {number}" } : new Field { Name = "x", IntValue = number } },
        };
        if (Text is not null && !isBad)
            point.Fields.Add(new Field { Name = "text", StringValue = Text });
        return point;
    }

    /// <summary>In MB.</summary>
    private long Peak() => long.Parse(
        File.ReadLines($"/proc/{installation.Collector.ProcessId}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;

    [GeneratedRegex("^# [^ ]+ (?<lines>[0-9]+) of (?<instance>i-[0-9]+): (?<words>.+)$")]
    private static partial Regex Comment();

    [GeneratedRegex("^load,instance=(?<instance>i-[0-9]+) x=\"text (?<number>[0-9]+)\" [0-9]+$")]
    private static partial Regex Line();
}
