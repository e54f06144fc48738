using System.Globalization;
using FsCheck.Xunit;
using Telemetry.Agent.Checks;

namespace Telemetry.Agent.Tests.Checks;

public sealed class PerfDataTests
{
    [Theory]
    [InlineData("load1=1.580;5.000;10.000;0; load5=2", "load1 1.58 [0..5] [0..10] 0 - | load5 2 - - - -")]
    [InlineData("/=17167286272B;216442024755;243497277849;0;270552530944", "/ 17167286272B [0..216442024755] [0..243497277849] 0 270552530944")]
    [InlineData("time=0.000866s;;;0.000000;10.000000", "time 0.000866s - - 0 10")]
    [InlineData("'a b'=1 'c=d'=2 'it''s'=3 ''''=4", "a b 1 - - - - | c=d 2 - - - - | it's 3 - - - - | ' 4 - - - -")]
    [InlineData("a=U b=1", "a U - - - - | b 1 - - - -")]
    [InlineData("a=-1.5ms;@10:20;~:10;; b=3c;10:;10:20", "a -1.5ms @[10..20] [-inf..10] - - | b 3c [10..inf] [10..20] - -")]
    [InlineData("  a=1%;80;90;0;100\tb=2KB  ", "a 1% [0..80] [0..90] 0 100 | b 2KB - - - -")]
    [InlineData("temp=36.6C net=5MB/s", "temp 36.6C - - - - | net 5MB/s - - - -")]  // not in the guidelines, and common
    [InlineData("", "")]
    public void Parse_OfWhatPluginsWrite_HasAllOfIt(string text, string expected)
    {
        var data = PerfData.Parse(text);

        Assert.Equal(expected, string.Join(" | ", data.Values.Select(Shown)));
        Assert.Equal(0, data.Malformed);
    }

    [Theory]
    [InlineData("a=1,5 b=2")]          // a comma
    [InlineData("a=1e5 b=2")]          // an exponent
    [InlineData("a=1.2.3 b=2")]
    [InlineData("a=- b=2")]
    [InlineData("a= b=2")]
    [InlineData("a b=2")]
    [InlineData("=1 b=2")]
    [InlineData("a'b=1 b=2")]          // has a quote, and is not in quotes
    [InlineData("''=1 b=2")]
    [InlineData("'a'1 b=2")]
    [InlineData("a=1;2;3;4;5;6 b=2")]
    [InlineData("a=1;20:10 b=2")]      // its end is before its start
    [InlineData("a=1;~ b=2")]
    [InlineData("a=1;10:~ b=2")]
    [InlineData("a=1;;;~ b=2")]
    [InlineData("a=U5 b=2")]
    [InlineData("b=2 b=3")]
    [InlineData("b=2 'never closed=1 c=3")]
    public void Parse_OfAPieceThatIsNone_LosesThatPieceOnly(string text)
    {
        var data = PerfData.Parse(text);

        Assert.Equal("b 2 - - - -", string.Join(" | ", data.Values.Select(Shown)));
        Assert.Equal(1, data.Malformed);
    }

    [Fact]
    public void Parse_OfVeryManyValues_StopsAtTheLimit()
    {
        var data = PerfData.Parse(string.Join(' ', Enumerable.Range(0, 1_000).Select(i => $"v{i}={i}")));

        Assert.Equal((PerfData.MaxValues, 1_000 - PerfData.MaxValues), (data.Values.Count, data.Malformed));
    }

    [Theory]
    [InlineData("10", new[] { 0.0, 5, 10 }, new[] { -1, 10.1 })]
    [InlineData("10:", new[] { 10.0, 1e9 }, new[] { 9.9, -5 })]
    [InlineData("~:10", new[] { -1e300, 10.0 }, new[] { 10.1 })]   // no number is below −∞
    [InlineData("10:20", new[] { 10.0, 20 }, new[] { 9.9, 20.1 })]
    [InlineData("@10:20", new[] { 9.9, 20.1 }, new[] { 10.0, 15, 20 })]
    [InlineData("-10:-5", new[] { -10.0, -5 }, new[] { -4.9, 0 })]
    public void Range_AlertsAsTheGuidelinesSay(string text, double[] quiet, double[] alerts)
    {
        Assert.True(PerfRange.TryParse(text, out var range));

        Assert.All(quiet, value => Assert.False(range.Alerts(value)));
        Assert.All(alerts, value => Assert.True(range.Alerts(value)));
    }

    [Property]
    public void Parse_OfWhatWasWritten_GivesItBack((string? Label, int Value, int Warning)[] values)
    {
        var expected = values
            .Select(value => (Label: Fit(value.Label), value.Value, value.Warning))
            .Where(value => value.Label.Length > 0)
            .DistinctBy(value => value.Label)
            .Take(PerfData.MaxValues)
            .ToList();

        var data = PerfData.Parse(string.Join(' ', expected.Select(value => FormattableString.Invariant(
            $"'{value.Label.Replace("'", "''", StringComparison.Ordinal)}'={value.Value}ms;~:{value.Warning};"))));

        Assert.Equal(0, data.Malformed);
        Assert.Equal(expected, data.Values.Select(value => (value.Label, (int)value.Value!, (int)value.Warning!.Value.To!)));

        static string Fit(string? label) => label is null ? "" : label[..Math.Min(label.Length, 100)];
    }

    [Property(MaxTest = 2_000)]
    public void Parse_OfAnything_EndsAndHasOnlyNumbers(string? text, int seed)
    {
        // Letters that mean something, in any order, beside any text at all.
        var random = new Random(seed);
        var noise = string.Concat(Enumerable.Range(0, 60).Select(_ => "'=;|U@~:-.1a %\n"[random.Next(15)]));

        foreach (var value in PerfData.Parse(text + noise).Values.Concat(PluginOutput.Parse(System.Text.Encoding.UTF8.GetBytes(noise + text)).Data.Values))
        {
            Assert.True(value.Value is null || double.IsFinite(value.Value.Value));
            Assert.NotEqual("", value.Label);
        }
    }

    [Fact]
    public void Output_HasMoreDataBehindABarInALaterLine()
    {
        var output = PluginOutput.Parse("DISK OK - free space | /=1;2;3\r\nfirst\nsecond | /boot=4\n/home=5 '/a b'=6\n"u8);

        Assert.Equal(("DISK OK - free space", "first\nsecond"), (output.Text, output.LongText.Replace("\r", "", StringComparison.Ordinal)));
        Assert.Equal(["/", "/boot", "/home", "/a b"], output.Data.Values.Select(value => value.Label));
    }

    [Fact]
    public void Output_WithoutABar_IsText()
    {
        var output = PluginOutput.Parse("PING OK"u8);

        Assert.Equal(("PING OK", "", 0), (output.Text, output.LongText, output.Data.Values.Count));
    }

    private static string Shown(PerfValue value) => string.Create(
        CultureInfo.InvariantCulture,
        $"{value.Label} {(value.Value is { } number ? $"{number}" : "U")}{value.Unit} {Shown(value.Warning)} {Shown(value.Critical)} {Shown(value.Min)} {Shown(value.Max)}");

    private static string Shown(PerfRange? range) => range is not { } bounds ? "-" : string.Create(
        CultureInfo.InvariantCulture,
        $"{(bounds.IsInside ? "@" : "")}[{(bounds.From is { } from ? $"{from}" : "-inf")}..{(bounds.To is { } to ? $"{to}" : "inf")}]");

    private static string Shown(double? limit) => limit is { } number ? number.ToString(CultureInfo.InvariantCulture) : "-";
}
