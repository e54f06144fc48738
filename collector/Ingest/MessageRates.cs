using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

/// <summary>How many messages that cost the store something one stream may send: many times what an agent does after a long outage.</summary>
internal sealed class MessageRates(TimeProvider time)
{
    // One is on its way at a time, and each waits for its transaction.
    private readonly TokenBucket _heads = new(time, perSecond: 100, burst: 1_000);

    // After an outage, a whole spool as fast as it can be read: 64 MiB in messages of 256 KiB, or of a few records each.
    private readonly TokenBucket _changes = new(time, perSecond: 200, burst: 5_000);

    // After an outage, the states that checks came to meanwhile. What is too many to be stored is put together (CheckLane).
    private readonly TokenBucket _checks = new(time, perSecond: 200, burst: 5_000);

    // Sixteen are on their way at a time, and those are stored ten times a second.
    private readonly TokenBucket _health = new(time, perSecond: 500, burst: 5_000);

    /// <exception cref="FloodException">Too many of its sort.</exception>
    public void Count(ConnectRequest.MessageOneofCase message)
    {
        var bucket = message switch
        {
            ConnectRequest.MessageOneofCase.Head => _heads,
            ConnectRequest.MessageOneofCase.Changes => _changes,
            ConnectRequest.MessageOneofCase.Checks => _checks,
            ConnectRequest.MessageOneofCase.Health => _health,
            _ => null,
        };
        if (bucket?.TryTake() == false)
            throw new FloodException($"messages of the sort '{message}'");
    }
}
