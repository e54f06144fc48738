using Telemetry.Collector.Checks;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

internal sealed partial class AgentStream
{
    // Of what is stored.
    private HeadPosition _checks;

    /// <summary>What is told again changes nothing, but is acknowledged again.</summary>
    private async IAsyncEnumerable<V1.ConnectResponse> KeepAsync(V1.CheckBatch batch)
    {
        var position = PositionOf(batch.Epoch, batch.Sequence);
        if (position > _checks)
        {
            var report = batch.ToModel(UntilNow);
            await store.WriteAsync(transaction =>
            {
                CheckStates.Keep(transaction, InstanceId, report);
                transaction.Checks.SetWatermark(InstanceId, position);
            });
            _checks = position;
        }

        yield return Ack(V1.Lane.Checks, _checks);
    }

    /// <summary>What is dated ahead would never be forgotten.</summary>
    private DateTimeOffset UntilNow(DateTimeOffset at)
    {
        var (corrected, now) = (Corrected(at), time.GetUtcNow());
        return corrected < now ? corrected : now;
    }
}
