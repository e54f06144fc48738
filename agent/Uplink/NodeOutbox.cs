using Google.Protobuf;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;

namespace Telemetry.Agent.Uplink;

/// <summary>The nodes one announced head still owes the collector: first those believed lacking, then what it asks for.</summary>
/// <remarks>Not for two threads at once; its session holds a lock.</remarks>
internal sealed class NodeOutbox(Func<Digest, byte[]?> read)
{
    /// <summary>Bytes that may be sent and not yet taken.</summary>
    public const int Window = 256 * 1024;

    // Messages stay below the large object heap of either side (85,000 bytes); a node alone may be longer.
    private const int MaxBatch = 64 * 1024;

    // A collector asks level by level; more than this it does not mean.
    private const int MaxRequests = 100_000;

    private readonly Queue<byte[]> _pushed = [];
    private readonly Queue<Digest> _requested = [];
    private long _sent, _taken;

    public void Push(IEnumerable<byte[]> nodes)
    {
        foreach (var node in nodes)
            _pushed.Enqueue(node);
    }

    /// <returns>False when the collector asks for more than makes sense.</returns>
    public bool Request(IEnumerable<Digest> digests)
    {
        foreach (var digest in digests)
            _requested.Enqueue(digest);
        return _requested.Count <= MaxRequests;
    }

    /// <param name="bytes">Since the stream began.</param>
    public void Taken(ulong bytes) => _taken = Math.Max(_taken, (long)Math.Min(bytes, (ulong)_sent));

    /// <summary>The head is acknowledged or withdrawn; what is on its way stays counted.</summary>
    public void Clear()
    {
        _pushed.Clear();
        _requested.Clear();
    }

    /// <summary>As many nodes as the window and one message allow; null when there is nothing to send now.</summary>
    public NodeBatch? Next()
    {
        var batch = new NodeBatch();
        var bytes = 0;
        while (_pushed.Count > 0 || _requested.Count > 0)
        {
            var node = _pushed.TryPeek(out var pushed) ? pushed : read(_requested.Peek());
            if (node is null)
            {
                batch.Unavailable.Add(UnsafeByteOperations.UnsafeWrap(_requested.Dequeue().ToArray()));
                continue;
            }

            var open = _sent - _taken;
            if ((bytes > 0 && bytes + node.Length > MaxBatch) || open + node.Length > Window)
                break;

            batch.Nodes.Add(UnsafeByteOperations.UnsafeWrap(node));
            bytes += node.Length;
            _sent += node.Length;
            if (pushed is not null)
                _pushed.Dequeue();
            else
                _requested.Dequeue();
        }

        return batch.Nodes.Count + batch.Unavailable.Count > 0 ? batch : null;
    }
}
