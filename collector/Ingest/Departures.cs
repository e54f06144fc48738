using System.Collections.Concurrent;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Ingest;

/// <summary>A stream that ended.</summary>
internal sealed record Departure(string InstanceId, long SessionId, DateTimeOffset LastSeen)
{
    public void Write(StoreTransaction transaction)
    {
        transaction.Instances.Seen(InstanceId, LastSeen);
        transaction.Presence.End(SessionId, LastSeen);
    }
}

/// <summary>Writes when sessions ended; what the disk does not take then is written as soon as it does.</summary>
/// <remarks>Not more than there were streams: without the disk none begins.</remarks>
internal sealed partial class Departures(StateStore store, ILogger<Departures> logger)
{
    private readonly ConcurrentQueue<Departure> _late = [];

    public async Task NoteAsync(Departure departure)
    {
        try
        {
            await store.WriteAsync(departure.Write);
        }
        catch (StoreException e)
        {
            _late.Enqueue(departure);
            Log.Late(logger, departure.InstanceId, e.Message);
        }
    }

    /// <summary>Before anything says that this collector ran until later.</summary>
    public async Task SettleAsync(Action<StoreTransaction> together)
    {
        var late = _late.ToArray();
        await store.WriteAsync(transaction =>
        {
            foreach (var departure in late)
                departure.Write(transaction);
            together(transaction);
        });
        for (var i = 0; i < late.Length; i++)
            _late.TryDequeue(out _);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "It can't be written yet that instance {Instance} disconnected: {Reason}")]
        public static partial void Late(ILogger logger, string instance, string reason);
    }
}
