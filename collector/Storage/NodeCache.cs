using System.Collections.Concurrent;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Nodes that are known to be stored: a fleet asks for the same ones again and again.</summary>
/// <remarks>Holds between two sweeps only. Readers look in it by the count of sweeps that they see, so none finds a node that is gone.</remarks>
internal sealed class NodeCache
{
    /// <summary>About 300 bytes each.</summary>
    private const int MaxNodes = 100_000;

    private Era _era = new(0);

    /// <returns>Null for a reader who sees an older state than others saw before.</returns>
    public ConcurrentDictionary<Digest, StoredNode>? Between(long sweeps)
    {
        while (true)
        {
            var era = Volatile.Read(ref _era);
            if (era.Sweeps > sweeps)
                return null;
            if (era.Sweeps == sweeps && !era.IsFull)
                return era.Nodes;
            Interlocked.CompareExchange(ref _era, new Era(sweeps), era);
        }
    }

    private sealed class Era(long sweeps)
    {
        public long Sweeps => sweeps;

        private int _uses;
        private volatile bool _isFull;

        public ConcurrentDictionary<Digest, StoredNode> Nodes { get; } = new();

        /// <summary>Looked at now and then, for it is dear to count.</summary>
        public bool IsFull
        {
            get
            {
                if (Interlocked.Increment(ref _uses) % 1024 == 0)
                    _isFull = Nodes.Count >= MaxNodes;
                return _isFull;
            }
        }
    }
}
