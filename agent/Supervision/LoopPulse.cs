namespace Telemetry.Agent.Supervision;

/// <summary>Beats as long as a loop moves. Each loop has its own; the watchdog listens to all of them.</summary>
internal sealed class LoopPulse(string name)
{
    /// <summary>A loop that only waits still beats this often.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(5);

    private long _beats;

    /// <summary>For people.</summary>
    public string Name { get; } = name;

    public long Beats => Interlocked.Read(ref _beats);

    public void Beat() => Interlocked.Increment(ref _beats);

    /// <summary>Waits, and beats meanwhile.</summary>
    public async Task WaitAsync(TimeSpan time, TimeProvider clock, CancellationToken cancellation)
    {
        for (; time > TimeSpan.Zero; time -= LongestSilence)
        {
            Beat();
            await Task.Delay(time < LongestSilence ? time : LongestSilence, clock, cancellation);
        }

        Beat();
    }
}
