using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Telemetry.Protocol.V1;

namespace Telemetry.FleetSimulator;

/// <summary>What people do with a fleet: certify a state of it, and watch its deviations.</summary>
internal sealed class Operators : IDisposable
{
    private const string Line = "fleet";

    private static readonly TimeSpan WaitBeforeRetry = TimeSpan.FromSeconds(0.5);

    private readonly GrpcChannel _channel;
    private readonly CallInvoker _invoker;
    private readonly TimeProvider _clock;

    public Operators(Uri server, string tokenFile, TimeProvider clock)
    {
        var authorization = "Bearer " + File.ReadAllText(tokenFile).Trim();
        _clock = clock;
        _channel = GrpcChannel.ForAddress(server, new GrpcChannelOptions
        {
            HttpHandler = new GrpcWebHandler(GrpcWebMode.GrpcWeb, new SocketsHttpHandler { UseProxy = false }),
            HttpVersion = System.Net.HttpVersion.Version11,
            DisposeHttpClient = true,
        });
        _invoker = _channel.Intercept(metadata =>
        {
            metadata.Add("authorization", authorization);
            return metadata;
        });
    }

    /// <summary>Makes what an instance is the baseline of all that have a tag.</summary>
    public async Task CertifyAsync(string instanceId, string tag, CancellationToken cancellation)
    {
        var baselines = new BaselineService.BaselineServiceClient(_invoker);
        await baselines.CaptureAsync(new CaptureRequest { Baseline = Line + ":1", InstanceId = instanceId }, cancellationToken: cancellation);
        await baselines.BindAsync(new BindRequest { Name = Line, Tag = tag }, cancellationToken: cancellation);
    }

    /// <summary>Every transition from now on, over restarts of the collector too.</summary>
    /// <param name="begun">Completed once nothing is missed any more.</param>
    public async Task WatchAsync(Action<Transition, Deviation> told, TaskCompletionSource begun, CancellationToken cancellation)
    {
        var cursor = "";
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                using var call = new DeviationService.DeviationServiceClient(_invoker).WatchDeviations(new WatchDeviationsRequest { Cursor = cursor }, cancellationToken: cancellation);
                while (await call.ResponseStream.MoveNext(cancellation))
                {
                    var response = call.ResponseStream.Current;
                    cursor = response.Cursor;
                    if (response.Deviation is { } deviation)
                        told(response.Transition, deviation);
                    begun.TrySetResult();
                }
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
            {
                begun.TrySetException(e);
                throw;
            }
            catch (Exception e) when (e is RpcException or IOException or OperationCanceledException)
            {
                await Task.Delay(WaitBeforeRetry, _clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public void Dispose() => _channel.Dispose();
}
