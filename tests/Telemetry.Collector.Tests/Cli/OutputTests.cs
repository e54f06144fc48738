using Grpc.Core;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Cli;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Cli;

/// <summary>Whoever wrote a text, it does nothing to the terminal of who reads it.</summary>
public sealed class OutputTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("tag a=\u001b[31mX\nY", @"tag a=\x1b[31mX\x0aY")]
    [InlineData("\u009b31m", @"\xc2\x9b31m")]
    [InlineData("a\u202eb", @"a\xe2\x80\xaeb")]
    [InlineData(@"/a\x1b → é", @"/a\x1b → é")]
    public void Plain_OfWhatMovesATerminal_IsEscaped(string text, string shown) => Assert.Equal(shown, Output.Plain(text));

    [Fact]
    public void PlainLines_KeepsLinesAndNothingElse() => Assert.Equal("a\nb\\x1b[0m\n    c", Output.PlainLines("a\r\nb\u001b[0m\n\tc"));

    [Theory]
    [InlineData("a=\u001b[31mX\nY")]
    [InlineData("a=b\u202e")]
    public async Task Bind_OfATagThatCantBeShown_IsRefused(string tag)
    {
        _ = new CertifiedInstance(_collector);
        var service = new BaselineGrpcService(_collector.Store, _collector.Baselines, _collector.Layers, _collector.Bundles, _collector.Seals, _collector.Room);

        var refused = await Assert.ThrowsAsync<RpcException>(() => service.Bind(new BindRequest { Name = "shop", Tag = tag }, null!));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Theory]
    [InlineData("00:00:00.9", "0 s")]
    [InlineData("00:01:00", "1 min")]
    [InlineData("00:58:03", "58 min 3 s")]
    [InlineData("23:58:59", "23 h 58 min")]
    [InlineData("3.01:59:59", "3 d 1 h")]
    [InlineData("400.00:59:59", "400 d")]
    public void Duration_IsInTheTwoLargestUnits(string duration, string expected) =>
        Assert.Equal(expected, Output.Duration(TimeSpan.Parse(duration, System.Globalization.CultureInfo.InvariantCulture)));
}
