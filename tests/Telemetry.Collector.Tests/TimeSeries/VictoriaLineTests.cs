using System.Text;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class VictoriaLineTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_500_000_000);

    [Theory]
    [InlineData("m a=1,t=\"x, \\\"y\\\" z\",b=2i 1500000000000000000\n", "m a=1,b=2i 1500000000000000000\n", 1)]
    [InlineData("m,k=a\\ b t=\"x\",a=1,u=\"\" 1500000000000000000\n", "m,k=a\\ b a=1 1500000000000000000\n", 2)]
    [InlineData("m,k=\"q a=true 1500000000000000000\n", "m,k=\"q a=true 1500000000000000000\n", 0)]
    public void Texts_BesideNumbers_AreLeftOut(string line, string kept, int texts)
    {
        var examined = Examine(line);

        Assert.Equal((kept, texts, 0), (Text(examined.Batch), examined.Texts, examined.Refused.Count));
    }

    [Fact]
    public void Lines_OfWhichNothingWouldBeKept_AreRefusedAlone()
    {
        var manyTags = "m" + string.Concat(Enumerable.Range(0, 29).Select(i => $",t{i}=v"));
        string[] good = ["good a=1 1500000000000000000\n", "too a=1 1500000000000000000\n"];
        string[] bad =
        [
            "text t=\"only\" 1500000000000000000\n",
            "old a=1 1400000000000000000\n",
            "ahead a=1 1500300000000000000\n",
            $"{manyTags} a=1 1500000000000000000\n",
            $"long,t={new string('x', 17_000)} a=1 1500000000000000000\n",
        ];

        var examined = Examine(good[0] + string.Concat(bad) + good[1]);

        Assert.Equal((good[0] + good[1], 2), (Text(examined.Batch), examined.Batch.LineCount));
        Assert.Equal(bad, examined.Refused.Select(parcel => Text(Assert.Single(parcel.Parcel.Batches))));
        Assert.Equal(5, examined.Refused.Select(parcel => parcel.Words).Distinct().Count());
    }

    [Fact]
    public void Lines_ThatAreAllGood_AreNotCopied()
    {
        var batch = Batch("m a=1 1500000000000000000\nm b=1 1500000000000000000\n");

        Assert.Same(batch, VictoriaLine.Examine(batch, Now.AddDays(-1), Now).Batch);
    }

    private static (StoredPoints Batch, IReadOnlyList<RefusedParcel> Refused, long Texts) Examine(string lines) =>
        VictoriaLine.Examine(Batch(lines), Now.AddDays(-1), Now);

    private static StoredPoints Batch(string lines) => new(1, Encoding.UTF8.GetBytes(lines), lines.Count(letter => letter == '\n'), null);

    private static string Text(StoredPoints batch) => Encoding.UTF8.GetString(batch.Lines.Span);
}
