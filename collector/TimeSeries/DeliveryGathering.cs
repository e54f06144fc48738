namespace Telemetry.Collector.TimeSeries;

/// <summary>Nobody waits for a metric: deliveries wait for each other, and what comes to the store together commits together.</summary>
internal sealed class DeliveryGathering(TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private Task _gathered = Task.CompletedTask;

    /// <summary>The end of the wait that is on, or of one that begins.</summary>
    public Task End()
    {
        lock (_gate)
        {
            if (_gathered.IsCompleted)
                _gathered = Task.Delay(Longest, time);
            return _gathered;
        }
    }
}
