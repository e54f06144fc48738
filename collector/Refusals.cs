using System.Globalization;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector;

/// <summary>Gives every refusal its gRPC status, in one place. What is not a refusal is a bug, and is logged as one.</summary>
internal sealed partial class Refusals(ILogger<Refusals> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception e) when (StatusOf(e, context) is { } status)
        {
            throw new RpcException(status);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requests, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(requests, context);
        }
        catch (Exception e) when (StatusOf(e, context) is { } status)
        {
            throw new RpcException(status);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responses, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responses, context);
        }
        catch (Exception e) when (StatusOf(e, context) is { } status)
        {
            throw new RpcException(status);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requests, responses, context);
        }
        catch (Exception e) when (StatusOf(e, context) is { } status)
        {
            throw new RpcException(status);
        }
    }

    /// <returns>Null for a bug, and for what has its status already.</returns>
    private Status? StatusOf(Exception e, ServerCallContext context)
    {
        switch (e)
        {
            case BadMessageException or NotCanonicalException or InvalidProtocolBufferException:
                Log.Refused(logger, context.Method, context.Peer, e.Message);
                return new Status(StatusCode.InvalidArgument, e.Message);
            case ForgottenEventsException:
                return new Status(StatusCode.InvalidArgument, e.Message);
            case ConfigurationException mistakes:
                return new Status(StatusCode.InvalidArgument, Shown(mistakes.Mistakes));
            case UnknownStateException { IsWrongQuestion: true }:
                return new Status(StatusCode.InvalidArgument, e.Message);
            case UnknownPolicyException or UnknownInstanceException or UnknownStateException or UnknownKeyException:
                return new Status(StatusCode.NotFound, e.Message);
            case BaselineException or LayerException or DecisionException or SignatureException:
                return new Status(StatusCode.FailedPrecondition, e.Message);
            case SeriesException series:
                return new Status(series.IsWrongQuestion ? StatusCode.InvalidArgument : StatusCode.FailedPrecondition, e.Message);
            case NodeMissingException:
                return new Status(StatusCode.Aborted, "Nodes of an earlier try were removed meanwhile, because nothing was made of them; try again.");
            case DamagedNodeException:
                Log.StoreFailed(logger, e.Message);
                return new Status(StatusCode.DataLoss, e.Message);
            case OverloadedException:
                Log.Refused(logger, context.Method, context.Peer, e.Message);
                return new Status(StatusCode.Unavailable, e.Message);
            case FloodException:
                Log.Refused(logger, context.Method, context.Peer, e.Message);
                return new Status(StatusCode.ResourceExhausted, e.Message);
            case StalledHeadException:
                Log.Refused(logger, context.Method, context.Peer, e.Message);
                return new Status(StatusCode.DeadlineExceeded, e.Message);
            case SecondStreamException:
                return new Status(StatusCode.AlreadyExists, e.Message);
            case StoreException:
                Log.StoreFailed(logger, e.Message);
                return new Status(StatusCode.Unavailable, e.Message);
            case OperationCanceledException or IOException when context.CancellationToken.IsCancellationRequested:
                return new Status(StatusCode.Cancelled, "The caller went away.");
            default:
                return null;
        }
    }

    /// <summary>As many as go into a response's trailers, which clients take up to 64 KiB of, escaped.</summary>
    private static string Shown(IReadOnlyList<string> mistakes)
    {
        const int MaxLength = 16 * 1024;
        var text = new StringBuilder();
        for (var i = 0; i < mistakes.Count; i++)
        {
            if (text.Length + mistakes[i].Length > MaxLength)
                return text.Append(CultureInfo.InvariantCulture, $"and {mistakes.Count - i} more mistakes.").ToString();
            text.Append(mistakes[i]).Append('\n');
        }

        return text.ToString().TrimEnd();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Method} from {Peer} was refused: {Reason}")]
        public static partial void Refused(ILogger logger, string method, string peer, string reason);

        [LoggerMessage(2, LogLevel.Error, "{Reason}")]
        public static partial void StoreFailed(ILogger logger, string reason);
    }
}
