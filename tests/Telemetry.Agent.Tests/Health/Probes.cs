using Telemetry.Agent.Health;

namespace Telemetry.Agent.Tests.Health;

internal static class Probes
{
    public static ProbeReading Look(this IProbe probe)
    {
        var reading = new ProbeReading();
        probe.Read(reading);
        return reading;
    }

    public static IReadOnlyList<HealthPoint> Points(this IProbe probe) => probe.Look().Points;

    public static long Int(this HealthPoint point, string field) => point.Fields.Single(candidate => candidate.Name == field).Integer!.Value;

    public static double Float(this HealthPoint point, string field) => point.Fields.Single(candidate => candidate.Name == field).Float!.Value;

    public static string Tag(this HealthPoint point, string tag) => point.Tags.Single(candidate => candidate.Name == tag).Value;

    /// <summary>Name and value of all fields, as the line protocol would have them.</summary>
    public static string Text(this HealthPoint point) => string.Join(' ', point.Fields.Select(field => FormattableString.Invariant(
        $"{field.Name}={(field.Float is { } number ? $"{number:0.###}" : field.Integer is { } integer ? $"{integer}i" : field.Text)}")));
}
