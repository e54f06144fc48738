using System.Text;
using Google.Protobuf.WellKnownTypes;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.V1;
using Field = Telemetry.Protocol.V1.Field;
using RejectionReason = Telemetry.Collector.TimeSeries.RejectionReason;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class LineProtocolTests
{
    [Fact]
    public void Append_EveryType_WritesTagsSortedAndNanoseconds()
    {
        var point = NewPoint("cpu", ("host", "web 1"), ("cpu", "cpu=0"));
        point.Fields.Add(new Field { Name = "usage_user", FloatValue = 0.1 });
        point.Fields.Add(new Field { Name = "n", IntValue = -3 });
        point.Fields.Add(new Field { Name = "ok", BoolValue = true });
        point.Fields.Add(new Field { Name = "text", StringValue = "a \"b\" \\" });

        Assert.Equal("cpu,cpu=cpu\\=0,host=web\\ 1 usage_user=0.1,n=-3i,ok=true,text=\"a \\\"b\\\" \\\\\" 1500000000000000007\n", Write(point));
    }

    [Theory]
    [InlineData(1_500_000_000, -3_600, "1499996400000000007")]
    [InlineData(-9_000_000_000, 1, "-8999999998999999993")]
    [InlineData(9_223_372_030, 2, null)]
    [InlineData(long.MaxValue, 1, null)]
    [InlineData(long.MinValue, -1, null)]
    public void Append_WithAShift_WritesTheShiftedTimeOrNothing(long seconds, int shift, string? time)
    {
        var point = NewPoint("m");
        point.Time.Seconds = seconds;
        point.Fields.Add(new Field { Name = "x", IntValue = 1 });
        using var lines = new LineProtocol { Shift = TimeSpan.FromSeconds(shift) };

        Assert.Equal(time is not null, lines.Append(point));
        Assert.Equal(time is null ? "" : $"m x=1i {time}\n", Encoding.UTF8.GetString(lines.Lines));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Append_OnlyFieldIsNoNumber_WritesNothing(double value)
    {
        var point = NewPoint("cpu");
        point.Fields.Add(new Field { Name = "usage_user", FloatValue = value });

        Assert.Equal("", Write(point));
    }

    [Theory]
    [InlineData(1e-9)]
    [InlineData(1e-300)]
    [InlineData(1.23456789012345e20)]
    [InlineData(0.30000000000000004)]
    [InlineData(-0.0)]
    public void Append_FloatsOfAnySize_AreTheSameWhenTheyAreRead(double value)
    {
        var point = NewPoint("m");
        point.Fields.Add(new Field { Name = "x", FloatValue = value });

        var written = Write(point)["m x=".Length..].Split(' ')[0];

        Assert.Equal(value, double.Parse(written, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("a\\,b", "a\\,b")]
    [InlineData("a\\\\ b\\", "a\\ b")]
    [InlineData("a\\b", "a\\b")]
    [InlineData("a\\\n", "a")]
    public void Append_Backslashes_StandBeforeNothingThatIsEscaped(string value, string written)
    {
        var point = NewPoint("m", ("k", value));
        point.Fields.Add(new Field { Name = "x", IntValue = 1 });

        Assert.Equal($"m,k={written} x=1i 1500000000000000007\n", Write(point));
    }

    [Fact]
    public void Append_Tags_AreSortedByTheirBytesAndThereOnce()
    {
        var point = NewPoint("m", ("\ud83d\ude00", "last"), ("\uff5e", "third"), ("b\\", "again"), ("b", "second"), ("a", "first"), ("\t", "none"));
        point.Fields.Add(new Field { Name = "x", IntValue = 1 });

        var keys = Write(point).Split(' ')[0].Split(',')[1..].Select(tag => tag.Split('=')[0]).ToList();

        Assert.Equal(["a", "b", "\uff5e", "\ud83d\ude00"], keys);
    }

    [Fact]
    public void Append_AKeyOfMoreThan64Kib_IsTooBig()
    {
        var point = NewPoint("m", ("k", new string('v', 65_531)));
        point.Fields.Add(new Field { Name = "x", IntValue = 1 });
        using var lines = new LineProtocol();
        Assert.True(lines.Append(point));

        point.Tags["k"] += "v";

        Assert.False(lines.Append(point));
        Assert.Equal(RejectionReason.TooBig, lines.Reason);
        Assert.EndsWith("7\n", Encoding.UTF8.GetString(lines.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Append_ManyPoints_AllocatesNothing()
    {
        var point = NewPoint("cpu", ("host", "web 1"), ("cpu", "cpu0"));
        point.Fields.Add(new Field { Name = "usage", FloatValue = 12.5 });
        point.Fields.Add(new Field { Name = "text", StringValue = "a \"b\"" });
        var names = new SeriesNames();
        names.Name(new Series { Id = 1, Measurement = "mem", FloatFields = { "used" }, IntFields = { "n" } });
        var row = new SeriesRow { Series = 1, FloatValues = { 1.5 }, IntValues = { 3 } };
        var series = names.Of(row)!.Value;
        using var lines = new LineProtocol();
        Append();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            Append();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);

        void Append()
        {
            lines.Clear();
            lines.Append(point);
            lines.Append(series, row, point.Time);
        }
    }

    [Fact]
    public void Append_WhatServersRefuse_LeavesItOut()
    {
        var point = NewPoint("a,b\n\\", ("empty", ""), ("slash\\", "x\\"), ("time", "1"));
        point.Fields.Add(new Field { Name = "time", IntValue = 1 });
        point.Fields.Add(new Field { Name = "n", IntValue = 1 });

        Assert.Equal("a\\,b,slash=x n=1i 1500000000000000007\n", Write(point));
    }

    [Theory]
    [InlineData("m x\"=1 7\n", "n y=2 7\n")]
    [InlineData("m,t=a\"b \"q\"=1i,z\"=2 7\n", "n y=2 7\n")]
    [InlineData("m x=\"a \\\"b\\\" = \n\"\",y\"=\"\" 7\n", "n y=2 7\n")]
    [InlineData("m a\\=\"b=1 7\n", "n y=2 7\n")]
    public void FirstLine_WithQuotesInNames_EndsAtItsEnd(string first, string second) =>
        Assert.Equal(first.Length, LineProtocol.FirstLine(Encoding.UTF8.GetBytes(first + second)));

    [Fact]
    public void Append_ARowOfASeries_WritesWhatThePointInFullWould()
    {
        var series = new Series { Id = 7, Measurement = "a b", FloatFields = { "usage", "time", "gone" }, IntFields = { "n" } };
        series.Tags.Add("host", "web 1");
        series.Tags.Add("cpu", "0");
        var names = new SeriesNames();
        names.Name(series);
        var row = new SeriesRow { Series = 7, FloatValues = { 1.5, 2, double.NaN }, IntValues = { -3 } };
        using var lines = new LineProtocol();

        Assert.True(lines.Append(names.Of(row)!.Value, row, new Timestamp { Seconds = 1_500_000_000, Nanos = 7 }));

        Assert.Equal("a\\ b,cpu=0,host=web\\ 1 usage=1.5,n=-3i 1500000000000000007\n", Encoding.UTF8.GetString(lines.Lines));
    }

    [Fact]
    public void Name_TheSameFieldsOnTwoStreams_HasThemInMemoryOnce()
    {
        var one = Encoded(new Series { Measurement = "cpu", FloatFields = { "usage" }, IntFields = { "n" } });
        var other = Encoded(new Series { Measurement = "mem", FloatFields = { "usage" }, IntFields = { "n" } });

        Assert.Same(one.Fields, other.Fields);
        Assert.NotSame(one.Fields, Encoded(new Series { Measurement = "cpu", FloatFields = { "usage", "n" } }).Fields);
        Assert.NotEqual(
            Encoded(new Series { Measurement = "cpu", FloatFields = { "a1:b", "c" } }).Fields,
            Encoded(new Series { Measurement = "cpu", FloatFields = { "a", "b1:c" } }).Fields);

        static EncodedSeries Encoded(Series series)
        {
            using var lines = new LineProtocol();
            return lines.Encode(series)!.Value;
        }
    }

    [Fact]
    public void Row_OfASeriesNobodyNamedOrWithoutItsValues_IsRefused()
    {
        var names = new SeriesNames();
        names.Name(new Series { Id = 1, Measurement = "m", FloatFields = { "a" } });

        Assert.Null(names.Of(new SeriesRow { Series = 2 }));
        Assert.Null(names.Of(new SeriesRow { Series = 1 }));
        Assert.False(names.Name(new Series { Id = 1, Measurement = new string('m', 2_000_000) }));
        Assert.Null(names.Of(new SeriesRow { Series = 1, FloatValues = { 1 } }));
    }

    private static Point NewPoint(string measurement, params (string Key, string Value)[] tags)
    {
        var point = new Point { Measurement = measurement, Time = new Timestamp { Seconds = 1_500_000_000, Nanos = 7 } };
        foreach (var (key, value) in tags)
            point.Tags.Add(key, value);
        return point;
    }

    private static string Write(Point point)
    {
        using var lines = new LineProtocol();
        lines.Append(point);
        return Encoding.UTF8.GetString(lines.Lines);
    }
}
