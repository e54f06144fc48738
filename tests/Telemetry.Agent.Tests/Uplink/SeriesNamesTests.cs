using Google.Protobuf.WellKnownTypes;
using Telemetry.Agent.Uplink;
using Telemetry.Protocol.V1;
using Field = Telemetry.Protocol.V1.Field;

namespace Telemetry.Agent.Tests.Uplink;

public sealed class SeriesNamesTests
{
    private readonly SeriesNames _names = new();

    [Fact]
    public void Shorten_TheSameSeriesAgain_NamesItOnce()
    {
        var first = Shortened(Cpu("cpu0", 1.5, 3), Cpu("cpu1", 2.5, 4));
        var second = Shortened(Cpu("cpu0", 9.5, 5));

        Assert.Empty(first.Points);
        Assert.Equal(["cpu1", "cpu0"], first.Series.Select(series => series.Tags["cpu"]));
        Assert.Equal(["usage_user"], first.Series[0].FloatFields);
        Assert.Equal(["n"], first.Series[0].IntFields);
        Assert.Empty(second.Series);
        var row = Assert.Single(second.Rows);
        Assert.Equal(first.Series[1].Id, row.Series);
        Assert.Equal([9.5], row.FloatValues);
        Assert.Equal([5L], row.IntValues);
    }

    [Fact]
    public void Shorten_OtherFields_AreAnotherSeries()
    {
        var other = Cpu("cpu0", 1, 2);
        other.Fields.RemoveAt(1);

        var batch = Shortened(Cpu("cpu0", 1, 2), other);

        Assert.Equal(2, batch.Series.Select(series => series.Id).Distinct().Count());
    }

    /// <summary>A collector ends a stream that names more than 1 MiB.</summary>
    [Fact]
    public void Shorten_NamesOfMoreThanAStreamMayHave_StayInFull()
    {
        var batches = Enumerable.Range(0, 4_000).Select(i => Shortened(Cpu($"{i}" + new string('x', 400), 1, 2))).ToList();

        Assert.InRange(batches.Sum(batch => batch.Series.Sum(series => series.CalculateSize())), 400_000, 800_000);
        Assert.Equal(4_000, batches.Sum(batch => batch.Points.Count + batch.Rows.Count));
        Assert.Single(batches[^1].Points);
    }

    [Fact]
    public void Shorten_TextAndOtherMoments_StayInFull()
    {
        var text = Cpu("cpu0", 1, 2);
        text.Fields.Add(new Field { Name = "state", StringValue = "ok" });
        var later = Cpu("cpu0", 1, 2);
        later.Time = new Timestamp { Seconds = 20 };

        var batch = Shortened(Cpu("cpu0", 1, 2), text, later);

        Assert.Equal([text, later], batch.Points);
        Assert.Single(batch.Rows);
        Assert.Equal(10, batch.Time.Seconds);
    }

    private HealthBatch Shortened(params Point[] points)
    {
        var batch = new HealthBatch();
        batch.Points.AddRange(points);
        _names.Shorten(batch);
        return batch;
    }

    private static Point Cpu(string cpu, double usage, long number)
    {
        var point = new Point { Measurement = "cpu", Time = new Timestamp { Seconds = 10 } };
        point.Tags.Add("cpu", cpu);
        point.Fields.Add(new Field { Name = "usage_user", FloatValue = usage });
        point.Fields.Add(new Field { Name = "n", IntValue = number });
        return point;
    }
}
