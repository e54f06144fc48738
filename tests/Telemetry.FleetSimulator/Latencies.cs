namespace Telemetry.FleetSimulator;

/// <summary>How long something took, counted in steps of a twentieth more each. For several threads.</summary>
internal sealed class Latencies
{
    private const double Growth = 1.05;

    // Up to e.g. 1.05^400 × 0.01 ms: far more than an hour.
    private readonly long[] _counts = new long[400];

    public void Add(TimeSpan time) =>
        Interlocked.Increment(ref _counts[Math.Clamp((int)Math.Ceiling(Math.Log(Math.Max(time.TotalMilliseconds, 0.01) / 0.01, Growth)), 0, _counts.Length - 1)]);

    public void Clear() => Array.Clear(_counts);

    public long Count => _counts.Sum();

    /// <returns>Milliseconds, up to five hundredths too many.</returns>
    public double Percentile(double share)
    {
        var left = (long)Math.Ceiling(Count * share);
        for (var step = 0; step < _counts.Length; step++)
        {
            left -= _counts[step];
            if (left <= 0)
                return 0.01 * Math.Pow(Growth, step);
        }

        return 0;
    }
}
