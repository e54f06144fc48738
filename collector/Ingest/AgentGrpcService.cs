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
    AssemblyRoom room,
    MessageRoom messages,
    HelloRates hellos,
    CheckRates checkRates,
    PolicyBook policies,
    FleetKey fleetKey,
    IPointSink points,
    ConnectedAgents agents,
    ContestedIdentities contested,
    Departures departures,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<AgentGrpcService> logger) : AgentService.AgentServiceBase
{
    /// <summary>Nodes are shorter than 100 KB, and agents fill messages up to a few hundred.</summary>
    public const int MaxMessageBytes = 1024 * 1024;

    /// <summary>Two missed heartbeats, and time for the third: the agent is gone, whatever TCP believes, and 30 seconds after it went that is known.</summary>
    private static readonly TimeSpan Silence = 2.5 * AgentStream.HeartbeatInterval;

    /// <summary>An agent that does not take its last message in this time is not waited for.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(3);

    public override async Task Connect(
        IAsyncStreamReader<ConnectRequest> requests, IServerStreamWriter<ConnectResponse> responses, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        using var stopping = lifetime.ApplicationStopping.UnsafeRegister(static source => ((CancellationTokenSource)source!).CancelAfter(Farewell), ending);
        using var stream = new AgentStream(store, pipeline, room, messages, policies, fleetKey, points, checkRates, time, logger);
        try
        {
            if (!await NextAsync(requests, ending) || requests.Current.MessageCase != ConnectRequest.MessageOneofCase.Hello)
                throw new BadMessageException("the first message is not a hello");

            stream.Meet(requests.Current.Hello);
            hellos.Came(stream.InstanceId);
            using var connection = await agents.EnterAsync(stream.InstanceId, ending.Token);
            using var takenOver = connection.TakenOver.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), ending);
            stream.Wake = connection.Wake;
            var welcome = await stream.WelcomeAsync();
            try
            {
                await WriteAsync(responses, welcome, ending);
                await ServeAsync(stream, connection, requests, responses, ending);
            }
            finally
            {
                await stream.LeaveAsync(departures, connection.LastSeen);
            }
        }
        catch (SecondStreamException e)
        {
            await contested.NoteAsync(e.InstanceId, context.Peer);
            Log.Contested(logger, e.InstanceId, context.Peer);
            throw;
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
                // Taken before the look, so that what happens in between is not slept through.
                var woken = connection.Woken;
                if (connection.UntoldChallenge is { } nonce)
                    await WriteAsync(responses, new ConnectResponse { Challenge = new Challenge { Nonce = nonce } }, ending);
                if (connection.TakePolicyMayDiffer() && stream.AnotherPolicy() is { } policy)
                    await WriteAsync(responses, policy, ending);
                await foreach (var response in connection.AtWork(stream.PendingAsync()))
                    await WriteAsync(responses, response, ending);

                while (!woken.IsCompleted && !agents.Draining.IsCompleted && await Task.WhenAny(next, woken, agents.Draining) == next)
                {
                    if (!await next)
                        return;

                    connection.LastSeen = time.GetUtcNow();
                    if (requests.Current.ChallengeAnswer is { } answer)
                        connection.Answered(answer.Nonce);
                    await foreach (var response in connection.AtWork(stream.ReceiveAsync(requests.Current)))
                        await WriteAsync(responses, response, ending);
                    next = NextAsync(requests, ending);
                }

                if (agents.Draining.IsCompleted)
                {
                    var after = Duration.FromTimeSpan(agents.ReturnAfter(Random.Shared.NextDouble()));
                    await WriteAsync(responses, new ConnectResponse { Drain = new Drain { ReconnectAfter = after } }, ending);
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
        await using var silence = EndAfterSilence(ending);
        return await requests.MoveNext(ending.Token);
    }

    /// <summary>Ends the stream of an agent that reads no answers.</summary>
    private async Task WriteAsync(IServerStreamWriter<ConnectResponse> responses, ConnectResponse response, CancellationTokenSource ending)
    {
        await using var silence = EndAfterSilence(ending);
        await responses.WriteAsync(response, ending.Token);
    }

    private ITimer EndAfterSilence(CancellationTokenSource ending) =>
        time.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), ending, Silence, Timeout.InfiniteTimeSpan);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A second machine, at {Peer}, claims to be instance {Instance}, which is connected and alive: a disk was cloned. It was refused; delete the agent's state directory on the copy")]
        public static partial void Contested(ILogger logger, string instance, string peer);
    }
}
