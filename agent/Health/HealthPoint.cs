namespace Telemetry.Agent.Health;

/// <summary>One point as Telegraf would write it (InfluxDB line protocol), before the global tags and the time are added.</summary>
internal sealed record HealthPoint(string Measurement, IReadOnlyList<HealthField> Fields, string? TagName = null, string? TagValue = null);

/// <summary>A field is a float or an integer, never both.</summary>
internal readonly record struct HealthField(string Name, double? Float, long? Integer)
{
    public static HealthField Of(string name, double value) => new(name, value, null);

    public static HealthField Of(string name, long value) => new(name, null, value);
}

/// <summary>The points of one moment.</summary>
/// <param name="Time">Rounded to the sampling interval.</param>
internal sealed record HealthSample(DateTimeOffset Time, IReadOnlyList<HealthPoint> Points);
