using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

/// <summary>The agents' stream on the wire: reads, answers in order, and ends with the right status.</summary>
internal sealed partial class AgentGrpcService(
    StateStore store,
    Pipeline pipeline,
    PolicyBook policies,
    FleetKey fleetKey,
    IPointSink points,
    ConnectedAgents agents,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<AgentGrpcService> logger) : AgentService.AgentServiceBase
{
    /// <summary>Three missed heartbeats: the agent is gone, whatever TCP believes.</summary>
    private static readonly TimeSpan Silence = 3 * AgentStream.HeartbeatInterval;

    /// <summary>An agent that does not take its last message in this time is not waited for.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(3);

    public override async Task Connect(
        IAsyncStreamReader<ConnectRequest> requests, IServerStreamWriter<ConnectResponse> responses, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        using var stopping = lifetime.ApplicationStopping.UnsafeRegister(static source => ((CancellationTokenSource)source!).CancelAfter(Farewell), ending);
        var stream = new AgentStream(store, pipeline, policies, fleetKey, points, time, logger);
        try
        {
            if (!await NextAsync(requests, ending) || requests.Current.MessageCase != ConnectRequest.MessageOneofCase.Hello)
                throw new BadMessageException("the first message is not a hello");

            await responses.WriteAsync(await stream.WelcomeAsync(requests.Current.Hello), ending.Token);
            using var connection = agents.Enter(stream.InstanceId, time.GetUtcNow());
            using var takenOver = connection.TakenOver.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), ending);
            try
            {
                await ServeAsync(stream, connection, requests, responses, ending);
            }
            finally
            {
                await store.WriteAsync(transaction => transaction.Instances.Seen(stream.InstanceId, connection.LastSeen));
                Log.Disconnected(logger, stream.InstanceId);
            }
        }
        catch (OperationCanceledException) when (agents.Draining.IsCompleted)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The collector is stopping; connect again."));
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "The stream fell silent, ended, or was taken over by another of the same instance."));
        }
    }

    private async Task ServeAsync(
        AgentStream stream,
        ConnectedAgents.Connection connection,
        IAsyncStreamReader<ConnectRequest> requests,
        IServerStreamWriter<ConnectResponse> responses,
        CancellationTokenSource ending)
    {
        var next = NextAsync(requests, ending);
        try
        {
            while (true)
            {
                // Taken before the look, so that a change in between is not slept through.
                var signal = connection.PolicySignal;
                if (stream.AnotherPolicy() is { } policy)
                    await responses.WriteAsync(policy, ending.Token);

                while (!signal.IsCompleted && !agents.Draining.IsCompleted && await Task.WhenAny(next, signal, agents.Draining) == next)
                {
                    if (!await next)
                        return;

                    connection.LastSeen = time.GetUtcNow();
                    await foreach (var response in stream.ReceiveAsync(requests.Current))
                        await responses.WriteAsync(response, ending.Token);
                    next = NextAsync(requests, ending);
                }

                if (agents.Draining.IsCompleted)
                {
                    var after = Duration.FromTimeSpan(agents.ReturnAfter(Random.Shared.NextDouble()));
                    await responses.WriteAsync(new ConnectResponse { Drain = new Drain { ReconnectAfter = after } }, ending.Token);
                    return;
                }
            }
        }
        finally
        {
            // It must not outlive what it would end.
            await ending.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Reads the next message, and ends the stream when none comes for too long.</summary>
    private async Task<bool> NextAsync(IAsyncStreamReader<ConnectRequest> requests, CancellationTokenSource ending)
    {
        await using var silence = time.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), ending, Silence, Timeout.InfiniteTimeSpan);
        return await requests.MoveNext(ending.Token);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Instance {Instance} disconnected")]
        public static partial void Disconnected(ILogger logger, string instance);
    }
}
