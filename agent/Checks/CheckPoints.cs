using Telemetry.Agent.Health;

namespace Telemetry.Agent.Checks;

/// <summary>Results of checks as points of measurement <c>check</c>. Pure.</summary>
/// <remarks>
/// Tags are check, layer, owner, and of a value its label and, when it has one, its unit. Of a run: <c>state</c> (0 OK, 1 WARNING, 2 CRITICAL, 3
/// UNKNOWN), <c>duration_ns</c>, and <c>malformed</c>: pieces of its output that are no values. Of a value: <c>value</c>, <c>min</c>,
/// <c>max</c>, and where it alerts: <c>warning_lt</c> and <c>warning_gt</c>, below and above which; or <c>warning_ge</c> and
/// <c>warning_le</c>, between which; the same for <c>critical</c>. A bound that is infinite is left out. Values are in the unit they came in.
/// </remarks>
internal static class CheckPoints
{
    public static IReadOnlyList<HealthPoint> Of(CheckRun run)
    {
        var (check, result) = (run.Check, run.Result);
        List<HealthTag> tags = [new HealthTag("check", check.Check.Name), new HealthTag("layer", check.Layer)];
        if (check.Owner is not null)
            tags.Add(new HealthTag("owner", check.Owner));
        var points = new List<HealthPoint>
        {
            new(
                "check",
                [
                    HealthField.Of("state", (long)result.State),
                    HealthField.Of("duration_ns", (long)run.Duration.TotalNanoseconds),
                    HealthField.Of("malformed", (long)result.Malformed),
                ],
                [.. tags]),
        };
        foreach (var value in result.Values)
        {
            // What is undetermined has no value to draw.
            if (value.Value is not { } number)
                continue;
            var fields = new List<HealthField> { HealthField.Of("value", number) };
            Range(fields, "warning", value.Warning);
            Range(fields, "critical", value.Critical);
            Add(fields, "min", value.Min);
            Add(fields, "max", value.Max);
            var label = new HealthTag("label", value.Label);
            points.Add(new HealthPoint("check", fields, value.Unit.Length == 0 ? [.. tags, label] : [.. tags, label, new HealthTag("unit", value.Unit)]));
        }

        return points;
    }

    private static void Range(List<HealthField> fields, string level, PerfRange? range)
    {
        if (range is not { } bounds)
            return;
        Add(fields, level + (bounds.IsInside ? "_ge" : "_lt"), bounds.From);
        Add(fields, level + (bounds.IsInside ? "_le" : "_gt"), bounds.To);
    }

    private static void Add(List<HealthField> fields, string name, double? value)
    {
        if (value is { } number)
            fields.Add(HealthField.Of(name, number));
    }
}
