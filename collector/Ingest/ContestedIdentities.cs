using Google.Protobuf;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

/// <summary>Keeps that a second machine claimed to be an instance that is alive, and has people told: of a copy that keeps trying, once.</summary>
internal sealed class ContestedIdentities(StateStore store, DeviationFeed feed, TimeProvider time)
{
    /// <summary>After so long without another try it is news again.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromHours(1);

    /// <param name="peer">From where the second one came.</param>
    public async Task NoteAsync(string instanceId, string peer)
    {
        var now = time.GetUtcNow();
        var isNews = await store.WriteAsync(transaction =>
        {
            if (transaction.Instances.Find(instanceId) is not { } instance)
                return false;

            transaction.Instances.Contested(instanceId, now);
            if (instance.ContestedAt > now - Quiet)
                return false;
            transaction.Events.AddContested(new ContestedIdentity { InstanceId = instanceId, Name = instance.Name, Peer = peer }.ToByteArray(), now);
            return true;
        });
        if (isNews)
            feed.Wake();
    }
}
