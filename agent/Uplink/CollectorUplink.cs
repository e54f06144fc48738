using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Checks;
using Telemetry.Agent.Health;
using Telemetry.Agent.Identity;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Supervision;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;

namespace Telemetry.Agent.Uplink;

/// <summary>Keeps a stream to the collector: connects, and connects again.</summary>
internal sealed partial class CollectorUplink(
    AgentOptions options,
    InstanceIdentity identity,
    RulesInForce rules,
    StateStore store,
    ChangeLog changes,
    CheckLog checks,
    HealthQueue health,
    CollectorLink link,
    [FromKeyedServices("uplink")] LoopPulse pulse,
    TimeProvider clock,
    ILogger<CollectorUplink> log) : BackgroundService
{
    private static readonly TimeSpan RefusedDelay = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Lasting = TimeSpan.FromSeconds(30);

    private int _failures;
    private long? _welcomedAt;
    private string? _lastReason;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Collector is not { } collector)
        {
            Log.NoCollector(log);
            while (!stoppingToken.IsCancellationRequested)
                await pulse.WaitAsync(TimeSpan.FromHours(1), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        using var channel = Open(collector);
        var client = new AgentService.AgentServiceClient(channel);
        while (!stoppingToken.IsCancellationRequested)
        {
            var delay = await RunSessionAsync(client, collector, stoppingToken);
            await pulse.WaitAsync(delay, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>How long to wait before the next try.</returns>
    private async Task<TimeSpan> RunSessionAsync(AgentService.AgentServiceClient client, Uri collector, CancellationToken cancellation)
    {
        using var session = new Session(
            client.Connect(cancellationToken: cancellation), rules, store, changes, checks, health, pulse, clock)
        {
            Acked = link.Acked,
        };
        try
        {
            await session.RunAsync(Hello(), _ => Welcomed(collector), cancellation);
            if (session.ReconnectAfter is null)
                Failed(collector, "the collector ended the stream");
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
        catch (RpcException e) when (IsRefusal(e.StatusCode))
        {
            Refused(collector, e.Status);
            return RefusedDelay * (0.5 + Random.Shared.NextDouble());
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or IOException or BadMessageException)
        {
            if (session.ReconnectAfter is null)
                Failed(collector, Reason(e));
        }

        if (session.ReconnectAfter is { } after)
        {
            Drained(collector, after);
            return after;
        }

        return Backoff.Delay(_failures, Random.Shared.NextDouble());
    }

    private static GrpcChannel Open(Uri collector) => GrpcChannel.ForAddress(collector, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            // A collector's machine that vanished answers nothing: without pings nobody would notice.
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
        },

        // Waiting is our own loop's work, with its own jitter and log.
        InitialReconnectBackoff = TimeSpan.FromMilliseconds(500),
        MaxReconnectBackoff = TimeSpan.FromSeconds(1),
        MaxReceiveMessageSize = 1024 * 1024,
        DisposeHttpClient = true,
    });

    private Hello Hello()
    {
        var ledger = store.Ledger;
        var position = ledger.Head?.Position ?? default;
        var acked = ledger.Acknowledged?.Position ?? default;
        var boot = Boot.Read(clock);
        var hello = new Hello
        {
            InstanceId = identity.InstanceId,
            Name = options.Instance.Name,
            AgentVersion = Cli.VersionCommand.Version,
            Epoch = position.Epoch,
            Sequence = position.Sequence,
            AckedEpoch = acked.Epoch,
            AckedSequence = acked.Sequence,
            Group = options.Instance.Group,
            Customer = options.Instance.Customer,
            Root = options.Root,
            SentAt = clock.GetUtcNow().ToTimestamp(),
            BootId = boot.Id,
            BootedAt = boot.At?.ToTimestamp(),
            SampleInterval = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(options.Health.Interval),
        };
        hello.NodeFormats.Add(TreeNode.Format);
        foreach (var (name, value) in options.Instance.Tags)
            hello.Tags.Add(name, value);
        return hello;
    }

    private void Welcomed(Uri collector)
    {
        _welcomedAt = clock.GetTimestamp();
        _lastReason = null;
        link.Connected();
        Log.Connected(log, collector, identity.InstanceId);
    }

    private void Drained(Uri collector, TimeSpan after)
    {
        _failures = 0;
        _welcomedAt = null;
        link.Failed("the collector stopped as planned");
        Log.Drained(log, collector, after.TotalSeconds);
    }

    /// <summary>Said once for each reason, not at every try.</summary>
    private void Failed(Uri collector, string reason)
    {
        // A stream that ends right after its welcome is no success: else two agents of one identity would fight every second.
        if (_welcomedAt is { } welcomed && clock.GetElapsedTime(welcomed) >= Lasting)
            _failures = 0;
        _welcomedAt = null;
        link.Failed(reason);
        if (_failures++ == 0)
            Log.Unreachable(log, collector, reason);
    }

    /// <summary>The cause at the bottom says most, e.g. "Connection refused".</summary>
    private static string Reason(Exception e)
    {
        var reason = e is RpcException { Status: var status } ? status.DebugException?.GetBaseException().Message ?? status.Detail : e.Message;
        return reason.Contains("HTTP_1_1_REQUIRED", StringComparison.Ordinal) ? "that is not its port for agents, such as the one for operators" : reason;
    }

    private void Refused(Uri collector, Status status)
    {
        var reason = $"{status.StatusCode}: {status.Detail}";
        link.Refused(reason);
        if (reason != _lastReason)
            Log.Refused(log, collector, reason);
        _lastReason = reason;
    }

    // What trying again soon does not change.
    private static bool IsRefusal(StatusCode status) => status is StatusCode.PermissionDenied or StatusCode.Unauthenticated
        or StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.Unimplemented or StatusCode.AlreadyExists;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Connected to the collector at {Collector} as {InstanceId}")]
        public static partial void Connected(ILogger log, Uri collector, string instanceId);

        [LoggerMessage(2, LogLevel.Warning, "Collector not reachable at {Collector} ({Reason}). Scanning goes on and its state is kept; it is told when the collector is back. Trying again until then")]
        public static partial void Unreachable(ILogger log, Uri collector, string reason);

        [LoggerMessage(3, LogLevel.Error, "The collector at {Collector} refuses this agent ({Reason}). Scanning goes on; the agent asks again every minute. Look at the collector's log for this instance")]
        public static partial void Refused(ILogger log, Uri collector, string reason);

        [LoggerMessage(5, LogLevel.Information, "The collector at {Collector} stops as planned. Scanning goes on; connecting again in {Seconds:F1} s")]
        public static partial void Drained(ILogger log, Uri collector, double seconds);

        [LoggerMessage(4, LogLevel.Warning, "No collector is configured: changes are found and kept, but told to nobody. Set 'collector' in the configuration")]
        public static partial void NoCollector(ILogger log);
    }
}
