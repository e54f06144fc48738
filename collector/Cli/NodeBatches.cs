using Google.Protobuf;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary>Nodes in messages below the size from which buffers are expensive.</summary>
internal static class NodeBatches
{
    private const int MaxMessageBytes = 64 * 1024;

    public static IEnumerable<ImportNodes> Of(IEnumerable<ReadOnlyMemory<byte>> nodes)
    {
        var batch = new ImportNodes();
        var bytes = 0;
        foreach (var node in nodes)
        {
            if (bytes > 0 && bytes + node.Length > MaxMessageBytes)
            {
                yield return batch;
                (batch, bytes) = (new ImportNodes(), 0);
            }

            batch.Nodes.Add(UnsafeByteOperations.UnsafeWrap(node));
            bytes += node.Length;
        }

        if (bytes > 0)
            yield return batch;
    }
}
