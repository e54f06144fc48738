using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Grpc.Net.Client;

namespace Telemetry.FleetSimulator;

/// <summary>All agents of one run, from their start to the report.</summary>
internal sealed class Fleet(FleetOptions options, int? collectorPid, TimeProvider clock)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromMinutes(5);

    /// <summary>After the last change, until a deviation that was not told counts as untold.</summary>
    private static readonly TimeSpan TellPatience = TimeSpan.FromSeconds(10);

    private readonly FleetStatistics _statistics = new(clock);
    private readonly List<SimulatedAgent> _agents = [];

    /// <returns>The exit code: 1 when not all got connected and had their state stored, or not all that changed was told.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var operators = options.Operators is { } server ? new Operators(server, options.TokenFile!, clock) : null;
        var running = new List<Task>(options.Agents + 1);
        var storedAfter = await StartAsync(operators, running, stop.Token);
        var isWhole = await StayAsync(storedAfter, cancellation);
        if (isWhole && options.Storm > 0)
            isWhole = await StormAsync(cancellation);
        if (isWhole && options.AwaitsRestart)
            isWhole = await AwaitRestartAsync(cancellation);
        if (isWhole && options.Stays)
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        await stop.CancelAsync();
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _agents.ForEach(agent => agent.Dispose());
        return isWhole && _statistics.Refused == 0 ? 0 : 1;
    }

    /// <summary>The first agent is what the base is; once that is certified, the others come and are judged.</summary>
    /// <returns>How long it took, after the last was started, until the state of all was stored.</returns>
    private async Task<TimeSpan> StartAsync(Operators? operators, List<Task> running, CancellationToken cancellation)
    {
        var shared = new SharedBase(options.Entries);
        for (var number = 0; number < options.Agents; number++)
        {
            var random = new Random((options.Seed * 1_000_003) + number);
            var agent = new SimulatedAgent(IdOf(number), number == 0 ? 0 : options.Own, random, options, shared, _statistics, clock);
            _agents.Add(agent);
            running.Add(Task.Run(() => agent.RunAsync(Open, cancellation), cancellation));
            if (number == 0 && operators is not null)
                running.Add(await CertifyAsync(operators, cancellation));
            await Task.Delay(TimeSpan.FromSeconds(1.0 / options.ConnectsPerSecond), clock, cancellation);
        }

        var started = clock.GetTimestamp();
        await UntilAsync(() => AreAllStored(options.Agents), ConnectPatience, cancellation);
        return clock.GetElapsedTime(started);
    }

    /// <returns>Runs until deviations are not watched any more.</returns>
    private async Task<Task> CertifyAsync(Operators operators, CancellationToken cancellation)
    {
        await UntilAsync(() => AreAllStored(1), ConnectPatience, cancellation);
        await operators.CertifyAsync(IdOf(0), SimulatedAgent.Tag + "=" + SimulatedAgent.TagValue, cancellation);
        var begun = new TaskCompletionSource();
        var watching = operators.WatchAsync(_statistics.Changes.Told, begun, cancellation);
        await begun.Task.WaitAsync(ConnectPatience, clock, cancellation);
        return watching;
    }

    /// <summary>Metrics and drift. The first contact of all at once is told by how long it took, not mixed with this.</summary>
    private async Task<bool> StayAsync(TimeSpan storedAfter, CancellationToken cancellation)
    {
        _statistics.Clear();
        if (options.Operators is not null)
            _statistics.Changes.Watch();
        var (before, ownBefore) = (CollectorTime(), Environment.CpuUsage.TotalTime);
        var pointsBefore = _statistics.Points;
        var begun = clock.GetTimestamp();
        await WhileDriftingAsync(() => UntilAsync(() => clock.GetElapsedTime(begun) >= options.Duration, options.Duration, cancellation), cancellation);
        var took = clock.GetElapsedTime(begun);
        var points = _statistics.Points - pointsBefore;
        var (cpu, ownCpu) = ((CollectorTime() - before) / took, (Environment.CpuUsage.TotalTime - ownBefore) / took);
        await UntilAsync(() => _statistics.Changes.Untold == 0, TellPatience, cancellation);

        // Before it is told: whoever reads it may kill the collector at once.
        var isWhole = _statistics.Connected == options.Agents && _statistics.Changes.Untold == 0;
        Tell(new
        {
            options.Agents,
            _statistics.Connected,
            StoredAfter = storedAfter.TotalSeconds,
            Seconds = took.TotalSeconds,
            Heads = _statistics.Heads.Count,
            HeadAckP50 = _statistics.Heads.Percentile(0.5),
            HeadAckP99 = _statistics.Heads.Percentile(0.99),
            PointsPerSecond = points / took.TotalSeconds,
            HealthAckP50 = _statistics.Health.Percentile(0.5),
            HealthAckP99 = _statistics.Health.Percentile(0.99),
            Deviations = _statistics.Deviations.Count,
            DeviationP50 = _statistics.Deviations.Percentile(0.5),
            DeviationP99 = _statistics.Deviations.Percentile(0.99),
            _statistics.Changes.Untold,
            _statistics.Connects,
            _statistics.Broken,
            _statistics.Refused,
            CollectorCpu = cpu,
            SimulatorCpu = ownCpu,
            CollectorResidentKb = CollectorMemory(),
        });
        return isWhole;
    }

    /// <summary>Some lose their connections at once and come back, with something to tell, while the others go on.</summary>
    private async Task<bool> StormAsync(CancellationToken cancellation)
    {
        _statistics.Clear();
        var (broken, begun) = (_statistics.Broken, clock.GetTimestamp());
        await WhileDriftingAsync(
            () =>
            {
                _agents.Take(options.Storm).AsParallel().ForAll(agent => agent.Drop());
                return UntilAsync(() => _statistics.Recoveries.Count >= options.Storm && _statistics.Connected == options.Agents, ConnectPatience, cancellation);
            },
            cancellation);
        var took = clock.GetElapsedTime(begun);
        Tell(new
        {
            options.Storm,
            BackAfter = took.TotalSeconds,
            _statistics.Connected,
            WelcomedP50 = _statistics.Returns.Percentile(0.5),
            WelcomedP99 = _statistics.Returns.Percentile(0.99),
            AckedP50 = _statistics.Recoveries.Percentile(0.5),
            AckedP99 = _statistics.Recoveries.Percentile(0.99),
            HealthAckP99 = _statistics.Health.Percentile(0.99),
            Broken = _statistics.Broken - broken,
            _statistics.Refused,
        });
        return _statistics.Recoveries.Count >= options.Storm && _statistics.Connected == options.Agents;
    }

    /// <summary>Somebody else kills the collector and starts it again.</summary>
    private async Task<bool> AwaitRestartAsync(CancellationToken cancellation)
    {
        var connects = _statistics.Connects;
        var begun = clock.GetTimestamp();
        await WhileDriftingAsync(
            async () =>
            {
                await UntilAsync(() => _statistics.Connected < options.Agents, ConnectPatience, cancellation);
                begun = clock.GetTimestamp();
                await UntilAsync(() => _statistics.Connects >= connects + options.Agents && _statistics.Connected == options.Agents, ConnectPatience, cancellation);
            },
            cancellation);
        Tell(new { BackAfter = clock.GetElapsedTime(begun).TotalSeconds, _statistics.Connected, Connects = _statistics.Connects - connects, _statistics.Refused });
        return _statistics.Connected == options.Agents;
    }

    private static string IdOf(int number) => string.Create(CultureInfo.InvariantCulture, $"i-{number:D6}");

    private bool AreAllStored(int agents) => _statistics.Connected == agents && _statistics.Heads.Count >= agents;

    private GrpcChannel Open() => GrpcChannel.ForAddress(options.Collector, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            UseProxy = false,
        },
        DisposeHttpClient = true,
    });

    private async Task WhileDriftingAsync(Func<Task> phase, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var drifting = DriftAsync(over.Token);
        await phase();
        await over.CancelAsync();
        await drifting;
    }

    private async Task DriftAsync(CancellationToken cancellation)
    {
        var random = new Random(options.Seed);
        while (options.Drift > 0 && !cancellation.IsCancellationRequested)
        {
            _agents[random.Next(_agents.Count)].Drift();
            await Task.Delay(TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / options.Drift), clock, cancellation)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks often, and tells every five seconds how it goes.</summary>
    private async Task UntilAsync(Func<bool> isSo, TimeSpan patience, CancellationToken cancellation)
    {
        var begun = clock.GetTimestamp();
        var told = begun;
        while (!isSo() && clock.GetElapsedTime(begun) < patience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), clock, cancellation);
            if (clock.GetElapsedTime(told) < TimeSpan.FromSeconds(5))
                continue;
            told = clock.GetTimestamp();
            await Console.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{_statistics.Connected} connected, {_statistics.Heads.Count} heads (p99 {_statistics.Heads.Percentile(0.99):F1} ms), {_statistics.Points} points (p99 {_statistics.Health.Percentile(0.99):F1} ms), {_statistics.Deviations.Count} deviations (p99 {_statistics.Deviations.Percentile(0.99):F1} ms), {_statistics.Broken} broken, {CollectorMemory() / 1024} MB; own garbage collections stood {GC.GetTotalPauseDuration().TotalMilliseconds:F0} ms"));
        }
    }

    private static void Tell<T>(T report) => Console.WriteLine(JsonSerializer.Serialize(report, Json));

    private TimeSpan CollectorTime() => collectorPid is { } pid ? Process.GetProcessById(pid).TotalProcessorTime : default;

    /// <summary>In KB; 0: not known, as of one that was killed.</summary>
    private long CollectorMemory()
    {
        try
        {
            return collectorPid is { } pid ? Process.GetProcessById(pid).WorkingSet64 / 1024 : 0;
        }
        catch (ArgumentException)
        {
            return 0;
        }
    }
}
