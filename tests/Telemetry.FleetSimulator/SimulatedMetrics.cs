using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.FleetSimulator;

/// <summary>The metrics of one agent: of as many processors as it has points.</summary>
internal sealed class SimulatedMetrics(string id, int points, Random random)
{
    private V1.HealthBatch? _batch;
    private ulong _sequence;
    private bool _areSeriesNamed;

    /// <summary>A stream began, on which no series has a name yet.</summary>
    public void Begin() => _areSeriesNamed = false;

    /// <summary>As agents do: series are named once in a stream. The messages are made once, for the machine is shared with what is measured.</summary>
    public V1.HealthBatch Next(ulong epoch, DateTimeOffset now)
    {
        var batch = _batch ??= NewBatch();
        batch.Epoch = epoch;
        batch.Sequence = ++_sequence;
        batch.Time = Timestamp.FromDateTimeOffset(now);
        batch.Series.Clear();
        foreach (var row in batch.Rows)
        {
            row.FloatValues[0] = Math.Round(random.NextDouble() * 100, 2);
            if (!_areSeriesNamed)
                batch.Series.Add(NewSeries(row.Series));
        }

        _areSeriesNamed = true;
        return batch;
    }

    private V1.HealthBatch NewBatch()
    {
        var batch = new V1.HealthBatch();
        for (var i = 0u; i < points; i++)
        {
            var row = new V1.SeriesRow { Series = i };
            row.FloatValues.Add(0);
            batch.Rows.Add(row);
        }

        return batch;
    }

    private V1.Series NewSeries(uint number)
    {
        var series = new V1.Series { Id = number, Measurement = "cpu" };
        series.Tags.Add("host", id);
        series.Tags.Add("cpu", string.Create(CultureInfo.InvariantCulture, $"cpu{number}"));
        series.FloatFields.Add("usage_user");
        return series;
    }
}
