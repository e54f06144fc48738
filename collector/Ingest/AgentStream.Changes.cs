using Telemetry.Collector.Causes;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

internal sealed partial class AgentStream
{
    /// <summary>Change records after which is looked whether the instance has too many.</summary>
    private const int TrimInterval = 10_000;

    /// <summary>One of these takes as much room as so many records.</summary>
    private const int ActorsWeight = 10;

    private int _recordsSinceTrim = TrimInterval;

    private async IAsyncEnumerable<V1.ConnectResponse> NoteAsync(V1.ChangeBatch batch)
    {
        var records = batch.ToModel().Select(record => record with { ObservedAt = Corrected(record.ObservedAt) }).ToList();
        await pipeline.NoteAsync(InstanceId, records);
        _recordsSinceTrim += records.Count + (ActorsWeight * (batch.Actors.Count + batch.Transactions.Count));
        if (_recordsSinceTrim >= TrimInterval)
        {
            await store.WriteAsync(transaction => transaction.Changes.Trim(InstanceId));
            _recordsSinceTrim = 0;
        }

        yield break;
    }
}
