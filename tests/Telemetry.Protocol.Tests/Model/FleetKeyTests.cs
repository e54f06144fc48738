using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class FleetKeyTests
{
    // RFC 4231, test case 1, has a key of 20 bytes; this one is of 32 bytes, made with: printf 'Hi There' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b…0b
    private static readonly FleetKey Key = FleetKey.Of(Enumerable.Repeat((byte)0x0b, 32).ToArray());

    [Fact]
    public void Digest_Content_IsItsHmac()
    {
        var digest = Key.Digest("Hi There"u8);

        Assert.Equal("198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7", digest.Digest.ToString());
        Assert.Equal(Key.Id, digest.KeyId);
    }

    [Fact]
    public void Parse_WhatToTextGave_IsTheSameKey()
    {
        var key = FleetKey.Random();

        var parsed = FleetKey.Parse(key.ToText() + "\n");

        Assert.Equal(key.Id, parsed.Id);
        Assert.Equal(key.Digest("a"u8), parsed.Digest("a"u8));
        Assert.NotEqual(key.Id, FleetKey.Random().Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0b0b")]
    [InlineData("no key at all, but a text of sixty-four characters, as long as it")]
    public void Parse_NoKey_DoesNotRepeatIt(string text)
    {
        var exception = Assert.Throws<FormatException>(() => FleetKey.Parse(text));

        Assert.Equal("A fleet key is written as 64 hexadecimal digits.", exception.Message);
    }
}
