using FsCheck.Xunit;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Layers;

public sealed class SettingOrderTests
{
    [Theory]
    [InlineData("a, b", "a, b", "a, b, c", "a, b, c")]
    [InlineData("a, b, x", "a, b", "a, b, c", "a, b, x, c")]
    [InlineData("x, a, b", "a, b", "c, a, b", "x, c, a, b")]
    [InlineData("a, x, b", "a, b", "a, c, b", "a, x, c, b")]
    [InlineData("a, b, x", "a, b", "b, a", "b, x, a")]
    [InlineData("a, x, b", "a, b", "b", "x, b")]
    [InlineData("b", "a, b", "a, c, b", "c, b")]
    [InlineData("a, c", "a", "a, c", "a, c")]
    [InlineData("a, a, x", "a, a", "a, a, a", "a, a, x, a")]
    [InlineData("", "", "a", "a")]
    [InlineData("a, x", "a", "", "x")]
    public void With_WhatALayerChanges_IsPutWhereItStoodThere(string current, string before, string after, string expected) =>
        Assert.Equal(expected, Text(Of(current).With(Of(before), Of(after))!));

    [Property(MaxTest = 500)]
    public void With_WhatWasAsBefore_IsAsAfter(byte[] before, byte[] after)
    {
        var (left, right) = (Of(Some(before)), Of(Some(after)));

        Assert.Equal(Text(right), Text(left.With(left, right)!));
        Assert.Equal(Text(left), Text(left.With(right, right)!));
    }

    [Fact]
    public void Of_ASecretOrWhatIsTooLong_IsNotKnown()
    {
        Assert.Null(SettingOrder.Of(new Fingerprint().WithValue(new byte[2_000]).Encode()));
        Assert.Null(SettingOrder.Of(new Fingerprint { KeyedValue = FleetKey.Random().Digest("a"u8) }.Encode()));
        Assert.Null(Of("a").With(null, Of("a")));
    }

    /// <summary>Of few names, so that some are there several times.</summary>
    private static string Some(byte[] names) => string.Join(", ", names.Select(name => (char)('a' + (name % 5))));

    private static SettingOrder Of(string text) => SettingOrder.Of(text.Length == 0 ? null : new Fingerprint().WithValue(System.Text.Encoding.ASCII.GetBytes(text)).Encode())!;

    private static string Text(SettingOrder order) => order.Encode() is { } value ? Fingerprint.Decode(value).Value.ToString()! : "";
}
