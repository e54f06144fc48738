using System.Threading.Channels;
using Grpc.Core;
using Telemetry.Protocol.V1;

namespace Telemetry.Agent.Tests.Uplink;

/// <summary>Both directions of a stream, without a transport.</summary>
public sealed partial class SessionTests
{
    private sealed class Sent : IClientStreamWriter<ConnectRequest>
    {
        private readonly Lock _gate = new();
        private readonly List<ConnectRequest> _messages = [];

        public IReadOnlyList<ConnectRequest> Messages
        {
            get
            {
                lock (_gate)
                    return [.. _messages];
            }
        }

        public WriteOptions? WriteOptions { get; set; }

        /// <summary>But the hello.</summary>
        public bool TakesNothing { get; set; }

        public Task WriteAsync(ConnectRequest message)
        {
            lock (_gate)
                _messages.Add(message);
            return Task.CompletedTask;
        }

        public Task WriteAsync(ConnectRequest message, CancellationToken cancellationToken) =>
            TakesNothing && message.Hello is null ? Task.Delay(Timeout.Infinite, cancellationToken) : WriteAsync(message);

        public Task CompleteAsync() => Task.CompletedTask;
    }

    private sealed class Answers(ChannelReader<ConnectResponse> responses) : IAsyncStreamReader<ConnectResponse>
    {
        public ConnectResponse Current { get; private set; } = null!;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await responses.WaitToReadAsync(cancellationToken) || !responses.TryRead(out var response))
                return false;
            Current = response;
            return true;
        }
    }
}
