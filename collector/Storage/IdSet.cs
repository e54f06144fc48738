using System.Collections;

namespace Telemetry.Collector.Storage;

/// <summary>Row ids, a bit for each. Ids only ever grow and most rows are gone again, so it takes memory only where there are some.</summary>
internal sealed class IdSet
{
    // 128 KiB each.
    private const int IdsInChunk = 1 << 20;

    private readonly Dictionary<long, BitArray> _chunks = [];

    public bool Has(long id) => _chunks.TryGetValue(id / IdsInChunk, out var chunk) && chunk[(int)(id % IdsInChunk)];

    /// <param name="id">Not negative.</param>
    /// <returns>False when it was there.</returns>
    public bool Add(long id)
    {
        if (!_chunks.TryGetValue(id / IdsInChunk, out var chunk))
            _chunks.Add(id / IdsInChunk, chunk = new BitArray(IdsInChunk));
        var place = (int)(id % IdsInChunk);
        if (chunk[place])
            return false;
        chunk[place] = true;
        return true;
    }
}
