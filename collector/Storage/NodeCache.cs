using System.Collections.Concurrent;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Nodes that are known to be stored: a fleet asks for the same ones again and again.</summary>
/// <remarks>Holds between two sweeps only. Readers look in it by the count of sweeps that they see, so none finds a node that is gone.</remarks>
internal sealed class NodeCache
{
    // Some 100,000 ordinary ones. Of hostile ones, whose keys are the longest there are, 4,000.
    private const long MaxBytes = 32 * 1024 * 1024;

    /// <summary>What a node takes besides its first and last key.</summary>
    private const int Overhead = 256;

    private Era _era = new(0);

    /// <returns>Null for a reader who sees an older state than others saw before.</returns>
    public Era? Between(long sweeps)
    {
        while (true)
        {
            var era = Volatile.Read(ref _era);
            if (era.Sweeps > sweeps)
                return null;
            if (era.Sweeps == sweeps && !era.IsFull)
                return era;
            Interlocked.CompareExchange(ref _era, new Era(sweeps), era);
        }
    }

    internal sealed class Era(long sweeps)
    {
        private readonly ConcurrentDictionary<Digest, StoredNode> _nodes = new();
        private long _bytes;

        public long Sweeps => sweeps;

        public bool IsFull => Interlocked.Read(ref _bytes) >= MaxBytes;

        public StoredNode? Find(Digest digest) => _nodes.GetValueOrDefault(digest);

        public void Add(StoredNode node)
        {
            var summary = node.Summary;
            if (_nodes.TryAdd(summary.Digest, node))
                Interlocked.Add(ref _bytes, Overhead + summary.FirstKey.Length + summary.LastKey.Length);
        }
    }
}
