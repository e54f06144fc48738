namespace Telemetry.Agent.Health;

/// <summary>One point as Telegraf would write it (InfluxDB line protocol), before the global tags and the time are added.</summary>
internal sealed record HealthPoint(string Measurement, IReadOnlyList<HealthField> Fields, IReadOnlyList<HealthTag> Tags)
{
    public HealthPoint(string measurement, IReadOnlyList<HealthField> fields)
        : this(measurement, fields, [])
    {
    }
}

internal readonly record struct HealthTag(string Name, string Value);

/// <summary>A field is a float, an integer or a text, never two of them.</summary>
internal readonly record struct HealthField(string Name, double? Float, long? Integer, string? Text = null)
{
    public static HealthField Of(string name, double value) => new(name, value, null);

    public static HealthField Of(string name, long value) => new(name, null, value);

    public static HealthField Of(string name, string value) => new(name, null, null, value);
}

/// <summary>The points of one moment.</summary>
/// <param name="Time">Of what is sampled, rounded to the interval; of a check, when its result was known.</param>
internal sealed record HealthSample(DateTimeOffset Time, IReadOnlyList<HealthPoint> Points);
