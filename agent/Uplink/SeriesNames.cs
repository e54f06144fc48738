using System.Text;
using Telemetry.Protocol.V1;

namespace Telemetry.Agent.Uplink;

/// <summary>The series of metrics that were named on a stream: their points need no names there any more.</summary>
internal sealed class SeriesNames
{
    /// <summary>The collector takes some more. What comes after them is named in full.</summary>
    private const int MaxSeries = 5_000;
    private const int MaxBytes = 512 * 1024;

    private readonly Dictionary<string, uint> _ids = new(StringComparer.Ordinal);
    private int _bytes;

    /// <summary>Names what is new and takes the names out of the points, where these are numbers of one moment.</summary>
    public void Shorten(HealthBatch batch)
    {
        if (batch.Points.Count == 0)
            return;

        batch.Time = batch.Points[0].Time;
        for (var i = batch.Points.Count - 1; i >= 0; i--)
        {
            var point = batch.Points[i];
            if (!point.Time.Equals(batch.Time) || IdOf(point, batch) is not { } id)
                continue;
            batch.Rows.Add(RowOf(point, id));
            batch.Points.RemoveAt(i);
        }
    }

    private uint? IdOf(Point point, HealthBatch batch)
    {
        if (!point.Fields.All(field => field.ValueCase is Field.ValueOneofCase.FloatValue or Field.ValueOneofCase.IntValue))
            return null;

        var name = NameOf(point);
        if (_ids.TryGetValue(name, out var known))
            return known;
        if (_ids.Count == MaxSeries || _bytes >= MaxBytes)
            return null;

        var series = new Series { Id = (uint)_ids.Count, Measurement = point.Measurement };
        series.Tags.Add(point.Tags);
        foreach (var field in point.Fields)
            (field.ValueCase == Field.ValueOneofCase.FloatValue ? series.FloatFields : series.IntFields).Add(field.Name);
        batch.Series.Add(series);
        _bytes += series.CalculateSize();
        return _ids[name] = series.Id;
    }

    private static SeriesRow RowOf(Point point, uint id)
    {
        var row = new SeriesRow { Series = id };
        foreach (var field in point.Fields)
        {
            if (field.ValueCase == Field.ValueOneofCase.FloatValue)
                row.FloatValues.Add(field.FloatValue);
            else
                row.IntValues.Add(field.IntValue);
        }

        return row;
    }

    /// <summary>All that makes two points of one series; no name has a control character.</summary>
    private static string NameOf(Point point)
    {
        var name = new StringBuilder(point.Measurement);
        foreach (var (tag, value) in point.Tags)
            name.Append('\n').Append(tag).Append('=').Append(value);
        foreach (var field in point.Fields)
            name.Append(field.ValueCase == Field.ValueOneofCase.FloatValue ? '\f' : '\v').Append(field.Name);
        return name.ToString();
    }
}
