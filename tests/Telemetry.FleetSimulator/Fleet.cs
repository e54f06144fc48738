using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Grpc.Net.Client;
using Telemetry.Protocol.V1;

namespace Telemetry.FleetSimulator;

/// <summary>All agents of one run, from their start to the report.</summary>
internal sealed class Fleet(FleetOptions options, int? collectorPid, TimeProvider clock)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromMinutes(5);

    private readonly FleetStatistics _statistics = new();

    /// <returns>The exit code: 1 when not all got connected and had their state stored.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var shared = new SharedBase(options.Entries);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var agents = Enumerable.Range(0, options.Agents).Select(number => new SimulatedAgent(number, options, shared, _statistics, clock)).ToList();
        var running = new List<Task>(agents.Count);
        foreach (var agent in agents)
        {
            running.Add(Task.Run(() => RunAsync(agent, stop.Token), cancellation));
            await Task.Delay(TimeSpan.FromSeconds(1.0 / options.ConnectsPerSecond), clock, cancellation);
        }

        var started = clock.GetTimestamp();
        while (!AllAreThere && clock.GetElapsedTime(started) < ConnectPatience)
            await ReportAfterAsync(TimeSpan.FromSeconds(1), cancellation);
        var storedAfter = clock.GetElapsedTime(started);

        // The first contact of all at once is told by how long it took, not mixed with what comes after.
        _statistics.Heads.Clear();
        _statistics.Health.Clear();
        var before = CollectorTime();
        var pointsBefore = _statistics.Points;
        var begun = clock.GetTimestamp();
        var drifting = DriftAsync(agents, stop.Token);
        while (clock.GetElapsedTime(begun) < options.Duration)
            await ReportAfterAsync(TimeSpan.FromSeconds(5), cancellation);
        var took = clock.GetElapsedTime(begun);
        var isWhole = _statistics.Connected == options.Agents;
        var report = new
        {
            options.Agents,
            _statistics.Connected,
            StoredAfter = storedAfter.TotalSeconds,
            Seconds = took.TotalSeconds,
            Heads = _statistics.Heads.Count,
            HeadAckP50 = _statistics.Heads.Percentile(0.5),
            HeadAckP99 = _statistics.Heads.Percentile(0.99),
            PointsPerSecond = (_statistics.Points - pointsBefore) / took.TotalSeconds,
            HealthAckP50 = _statistics.Health.Percentile(0.5),
            HealthAckP99 = _statistics.Health.Percentile(0.99),
            _statistics.Connects,
            _statistics.Broken,
            _statistics.Refused,
            CollectorCpu = (CollectorTime() - before) / took,
            CollectorResidentKb = CollectorMemory(),
        };
        Console.WriteLine(JsonSerializer.Serialize(report, Json));
        if (isWhole && options.AwaitsRestart)
            isWhole = await AwaitRestartAsync(cancellation);
        await stop.CancelAsync();
        await Task.WhenAll([.. running, drifting]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        agents.ForEach(agent => agent.Dispose());
        return isWhole && _statistics.Refused == 0 ? 0 : 1;
    }

    private async Task<bool> AwaitRestartAsync(CancellationToken cancellation)
    {
        var (connects, begun) = (_statistics.Connects, clock.GetTimestamp());
        while (_statistics.Connected == options.Agents && clock.GetElapsedTime(begun) < ConnectPatience)
            await Task.Delay(TimeSpan.FromMilliseconds(10), clock, cancellation);
        begun = clock.GetTimestamp();
        while ((_statistics.Connects < connects + options.Agents || _statistics.Connected < options.Agents) && clock.GetElapsedTime(begun) < ConnectPatience)
            await Task.Delay(TimeSpan.FromMilliseconds(10), clock, cancellation);
        var isWhole = _statistics.Connected == options.Agents;
        Console.WriteLine(JsonSerializer.Serialize(
            new { BackAfter = clock.GetElapsedTime(begun).TotalSeconds, _statistics.Connected, Connects = _statistics.Connects - connects, _statistics.Refused }, Json));
        return isWhole;
    }

    private bool AllAreThere => _statistics.Connected == options.Agents && _statistics.Heads.Count >= options.Agents;

    /// <summary>Each over a connection of its own, as agents on machines of their own.</summary>
    private async Task RunAsync(SimulatedAgent agent, CancellationToken cancellation)
    {
        using var channel = GrpcChannel.ForAddress(options.Collector, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                KeepAlivePingDelay = TimeSpan.FromSeconds(10),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
                UseProxy = false,
            },
            DisposeHttpClient = true,
        });
        await agent.RunAsync(new AgentService.AgentServiceClient(channel), cancellation);
    }

    private async Task DriftAsync(List<SimulatedAgent> agents, CancellationToken cancellation)
    {
        var random = new Random(options.Seed);
        while (options.Drift > 0 && !cancellation.IsCancellationRequested)
        {
            agents[random.Next(agents.Count)].Drift();
            await Task.Delay(TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / options.Drift), clock, cancellation)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReportAfterAsync(TimeSpan time, CancellationToken cancellation)
    {
        await Task.Delay(time, clock, cancellation);
        await Console.Error.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{_statistics.Connected} connected, {_statistics.Heads.Count} heads (p99 {_statistics.Heads.Percentile(0.99):F1} ms), {_statistics.Points} points (p99 {_statistics.Health.Percentile(0.99):F1} ms), {_statistics.Broken} broken, {CollectorMemory() / 1024} MB; own garbage collections stood {GC.GetTotalPauseDuration().TotalMilliseconds:F0} ms"));
    }

    private TimeSpan CollectorTime() => collectorPid is { } pid ? Process.GetProcessById(pid).TotalProcessorTime : default;

    private long CollectorMemory() => collectorPid is { } pid ? Process.GetProcessById(pid).WorkingSet64 / 1024 : 0;
}
