using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.EndToEnd.Tests;

/// <summary>An agent's stream as anybody may open it: messages are any bytes, and what is answered need not be read.</summary>
internal sealed class RawStream : IAsyncDisposable
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    private static readonly Method<byte[], byte[]> Connect =
        new(MethodType.DuplexStreaming, V1.AgentService.Descriptor.FullName, nameof(V1.AgentService.AgentServiceClient.Connect), Bytes, Bytes);

    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<byte[], byte[]> _call;

    public RawStream(string server)
    {
        _channel = GrpcChannel.ForAddress(server, new GrpcChannelOptions { MaxSendMessageSize = null });
        _call = _channel.CreateCallInvoker().AsyncDuplexStreamingCall(Connect, host: null, new CallOptions(cancellationToken: Cancellation));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public Task Send(IMessage message) => Send(message.ToByteArray());

    public Task Send(byte[] message) => _call.RequestStream.WriteAsync(message, Cancellation);

    /// <summary>Sends one after the other until all are sent, or the collector has ended the stream; then says how it ended.</summary>
    public async Task<Status> SendAll(IEnumerable<byte[]> messages)
    {
        var ended = Ended();
        try
        {
            foreach (var message in messages)
                await Send(message);
            await _call.RequestStream.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException)
        {
            // How it ended is told on the other side.
        }

        return await ended;
    }

    public async ValueTask DisposeAsync()
    {
        _call.Dispose();
        _channel.Dispose();
        await ValueTask.CompletedTask;
    }

    private async Task<Status> Ended()
    {
        try
        {
            while (await _call.ResponseStream.MoveNext(Cancellation))
            {
            }

            return _call.GetStatus();
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }
}
