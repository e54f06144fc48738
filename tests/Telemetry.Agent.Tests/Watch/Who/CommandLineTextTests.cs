using System.Text;
using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent.Tests.Watch.Who;

public sealed class CommandLineTextTests
{
    [Fact]
    public void Of_ControlCharactersAndInvalidUtf8_EscapesThem()
    {
        Assert.Equal([@"a\x1b[31m", @"\xff\x5c", "", "é"], CommandLineText.Of([.. "a\u001b[31m\0"u8, 0xff, .. "\\\0\0é\0"u8], isCut: false));
    }

    [Fact]
    public void Of_ALongCommandLine_IsCutToItsLimitNeverInAnEscape()
    {
        for (var length = 4070; length < 4100; length++)
        {
            var texts = CommandLineText.Of([.. Encoding.UTF8.GetBytes(new string('.', length)), 0x1b, 0x1b, .. "äö"u8, 0, (byte)'b', 0], isCut: false);

            Assert.True(texts.Sum(Encoding.UTF8.GetByteCount) <= CommandLineText.MaxLength);
            Assert.Matches(@"^\.+(\\x1b){0,2}(äö?)?(…)?$", texts[0]);
        }
    }

    [Fact]
    public void Of_WhatWasReadInPart_LeavesTheLastArgumentOut()
    {
        Assert.Equal(["tool", "…"], CommandLineText.Of("tool\0https://me:hunt"u8, isCut: true));
    }

    [Fact]
    public void Of_ATitleWithoutEnd_IsOneArgument()
    {
        Assert.Equal(["sshd: root [priv]"], CommandLineText.Of("sshd: root [priv]"u8, isCut: false));
    }
}
