using Google.Protobuf.WellKnownTypes;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>
/// The collector's own series: <c>drift</c>, <c>compliance</c>, <c>session</c> and <c>check</c>. A point is told when it is another
/// than the one before, and once a minute, for which instances take turns.
/// </summary>
/// <remarks>
/// What agents tell of checks is in measurement <c>check</c>, too: the tags check, layer, owner and host mean the same there; the field
/// <c>failing</c>, and since when, is the collector's, <c>state</c> and what was measured are theirs.
/// </remarks>
internal sealed class FleetSeries
{
    /// <summary>Samples in which every instance has its turn.</summary>
    private const int Turns = 6;

    // As they were told last.
    private Dictionary<OwnSeries, OwnValues> _told = [];
    private int _turn;

    /// <summary>What is to be told of a sample.</summary>
    public List<V1.Point> Next(FleetSample sample, Timestamp at)
    {
        var values = Values(sample);
        var points = new List<V1.Point>();
        _turn = (_turn + 1) % Turns;
        foreach (var (series, value) in values)
        {
            if (!_told.TryGetValue(series, out var before) || before != value || IsTurnOf(series.Tags.Instance))
                points.Add(ToPoint(series, value, at));
        }

        // What is no more is told once as nothing, so that nobody takes the last point for what still is. But not to be compliant with
        // a baseline that judges no more is nobody's fault.
        foreach (var (series, before) in _told)
        {
            if (!values.ContainsKey(series) && before != OwnValues.None && series.Measurement != "compliance")
                points.Add(ToPoint(series, OwnValues.None, at));
        }

        _told = values;
        return points;
    }

    private bool IsTurnOf(string instance) => (uint)instance.GetHashCode(StringComparison.Ordinal) % Turns == _turn;

    private static Dictionary<OwnSeries, OwnValues> Values(FleetSample sample)
    {
        var values = new Dictionary<OwnSeries, OwnValues>();
        foreach (var instance in sample.Instances)
        {
            var tags = instance.Tags;
            values[new OwnSeries("session", tags)] = new OwnValues(instance.ConnectedSince is null ? 0 : 1, Since: instance.ConnectedSince ?? 0);
            foreach (var check in sample.Failing[tags.Instance])
                values[new OwnSeries("check", tags, check.Layer, check.Owner, Check: check.Name)] = new OwnValues(1, Since: check.Since);
            if (tags.Baseline.Length == 0)
                continue;

            var undecided = 0L;
            var isClean = true;
            foreach (var open in sample.Open[tags.Instance].GroupBy(open => (open.Layer, open.Owner, open.Kind)))
            {
                isClean = false;
                undecided += open.Sum(one => one.Undecided);
                values[new OwnSeries("drift", tags, open.Key.Layer, open.Key.Owner, open.Key.Kind.ToString().ToLowerInvariant())] = Drift([.. open]);
            }

            if (isClean)
                values[new OwnSeries("drift", tags)] = OwnValues.None;
            values[new OwnSeries("compliance", tags)] = new OwnValues(undecided == 0 ? 1 : 0, Undecided: undecided, Coverage: instance.IsCovered ? 1 : 0);
        }

        return values;
    }

    private static OwnValues Drift(List<OpenDeviations> open) => new(
        open.Sum(one => one.Count),
        Since: open.Min(one => one.Since),
        Undecided: open.Sum(one => one.Undecided),
        Info: Of(open, Severity.Info),
        Low: Of(open, Severity.Low),
        Medium: Of(open, Severity.Medium),
        High: Of(open, Severity.High),
        Critical: Of(open, Severity.Critical));

    private static long Of(List<OpenDeviations> open, Severity severity) => open.Where(one => one.Severity == severity).Sum(one => one.Count);

    private static V1.Point ToPoint(OwnSeries series, OwnValues values, Timestamp at)
    {
        var point = new V1.Point { Measurement = series.Measurement, Time = at };
        var tags = series.Tags;
        foreach (var (name, value) in new[]
        {
            ("instance", tags.Instance), ("host", tags.Host), ("image", tags.Image), ("baseline", tags.Baseline), ("group", tags.Group), ("customer", tags.Customer),
            ("layer", series.Layer), ("owner", series.Owner), ("kind", series.Kind), ("check", series.Check),
        })
        {
            if (value.Length > 0)
                point.Tags.Add(name, value);
        }

        switch (series.Measurement)
        {
            case "drift":
                Add("open", values.Value);
                Add("undecided", values.Undecided);
                Add("info", values.Info);
                Add("low", values.Low);
                Add("medium", values.Medium);
                Add("high", values.High);
                Add("critical", values.Critical);
                break;
            case "compliance":
                Add("compliant", values.Value);
                Add("undecided", values.Undecided);
                point.Fields.Add(new V1.Field { Name = "coverage", FloatValue = values.Coverage });
                break;
            case "session":
                Add("connected", values.Value);
                break;
            case "check":
                Add("failing", values.Value);
                break;
        }

        if (values.Since > 0)
            Add("since", values.Since);
        return point;

        void Add(string name, long value) => point.Fields.Add(new V1.Field { Name = name, IntValue = value });
    }

    private sealed record OwnSeries(string Measurement, InstanceTags Tags, string Layer = "", string Owner = "", string Kind = "", string Check = "");

    private readonly record struct OwnValues(
        long Value, long Since = 0, long Undecided = 0, long Coverage = 0, long Info = 0, long Low = 0, long Medium = 0, long High = 0, long Critical = 0)
    {
        public static OwnValues None => default;
    }
}
