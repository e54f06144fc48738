namespace Telemetry.Agent.Health;

/// <summary>What a probe found out in one look.</summary>
internal sealed class ProbeReading
{
    // For people; a thousand cpus say no more than the first.
    private const int MaxReasons = 3;

    public List<HealthPoint> Points { get; } = [];

    /// <summary>Parts that nothing could be told of, such as a cpu whose counters ran backwards.</summary>
    public int Skipped { get; private set; }

    /// <summary>Why, of the first of them.</summary>
    public List<string> Reasons { get; } = [];

    public void Add(string measurement, HealthField[] fields) => Points.Add(new HealthPoint(measurement, fields));

    public void Add(string measurement, HealthField[] fields, HealthTag[] tags) => Points.Add(new HealthPoint(measurement, fields, tags));

    /// <param name="reason">Without a full stop.</param>
    public void Skip(string reason)
    {
        Skipped++;
        if (Reasons.Count < MaxReasons)
            Reasons.Add(reason);
    }
}
