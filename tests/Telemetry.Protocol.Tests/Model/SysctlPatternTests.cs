using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class SysctlPatternTests
{
    [Theory]
    [InlineData("net.ipv4.ip_forward", "net.ipv4.ip_forward", true)]
    [InlineData("net/ipv4/ip_forward", "net.ipv4.ip_forward", true)]
    [InlineData("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.all.rp_filter", true)]
    [InlineData("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.eth0/100.rp_filter", true)]
    [InlineData("net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter", true)]
    [InlineData("net/ipv4/conf/eth0.100/rp_filter", "net.ipv4.conf.eth0/100.rp_filter", true)]
    [InlineData("net.ipv4.*", "net.ipv4.ip_forward", true)]
    [InlineData("net.ipv4.*", "net.ipv4.conf.all.rp_filter", false)]
    [InlineData("net.ipv4", "net.ipv4.ip_forward", false)]
    [InlineData("fs.protected_*", "fs.protected_symlinks", true)]
    public void Matches_NameOrNot(string pattern, string name, bool expected)
    {
        Assert.Equal(expected, SysctlPattern.Parse(pattern).Matches(Encoding.UTF8.GetBytes(name)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    public void Parse_Nothing_IsRefused(string text) => Assert.Throws<FormatException>(() => SysctlPattern.Parse(text));
}
