using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.SystemFacts;

public sealed class SysctlScannerTests : IDisposable
{
    private readonly TemporaryDirectory _proc = new();

    public SysctlScannerTests()
    {
        _proc.Write("sys/net/ipv4/ip_forward", "1\n");
        _proc.Write("sys/net/ipv4/tcp_mem", "1\t2\t3\n");
        _proc.Write("sys/net/ipv4/conf/all/rp_filter", "0\n");
        _proc.Write("sys/net/ipv4/conf/eth0.100/rp_filter", "2\n");
        _proc.Write("sys/net/ipv6/conf/all/stable_secret", "2001:db8::1\n");
        _proc.Write("secret", "outside\n");
        File.SetUnixFileMode(_proc.Write("sys/net/ipv4/route/flush", ""), UnixFileMode.UserWrite);
    }

    public void Dispose() => _proc.Dispose();

    [Theory]
    [InlineData("net.ipv4.ip_forward", "sysctl/net.ipv4.ip_forward 1")]
    [InlineData("net/ipv4/ip_forward", "sysctl/net.ipv4.ip_forward 1")]
    [InlineData("net.ipv4.tcp_*", @"sysctl/net.ipv4.tcp_mem 1\x092\x093")]
    [InlineData("net.ipv4.conf.*.rp_filter", @"sysctl/net.ipv4.conf.all.rp_filter 0;sysctl/net.ipv4.conf.eth0\x2f100.rp_filter 2")]
    [InlineData("net.ipv4.conf.eth0/100.rp_filter", @"sysctl/net.ipv4.conf.eth0\x2f100.rp_filter 2")]
    [InlineData("net/ipv4/conf/eth0.100/rp_filter", @"sysctl/net.ipv4.conf.eth0\x2f100.rp_filter 2")]
    [InlineData("net.ipv6.conf.all.*", "sysctl/net.ipv6.conf.all.stable_secret")]
    [InlineData("*.*.ip_forward", "sysctl/net.ipv4.ip_forward 1")]
    [InlineData("net.ipv4.route.*", "")]
    [InlineData("net.ipv4", "")]
    [InlineData("net.*", "")]
    [InlineData("no.such.name", "")]
    [InlineData("/../secret", "")]
    [InlineData("*./.secret", "")]
    public void Scan_OfAPattern_FindsWhatItNames(string pattern, string expected)
    {
        var facts = Facts.Of(new SysctlScanner(_proc.Path, [SysctlPattern.Parse(pattern)]));

        Assert.Equal(expected.Split(';', StringSplitOptions.RemoveEmptyEntries), facts.Entries);
        Assert.Empty(facts.Gaps);
    }

    [Fact]
    public void Scan_OfOverlappingPatterns_SaysEachOnce()
    {
        var facts = Facts.Of(new SysctlScanner(_proc.Path, [SysctlPattern.Parse("net.ipv4.ip_forward"), SysctlPattern.Parse("net.ipv4.*")]));

        Assert.Equal([@"sysctl/net.ipv4.ip_forward 1", @"sysctl/net.ipv4.tcp_mem 1\x092\x093"], facts.Entries);
    }

    [Fact]
    public void Scan_OfWhatThisMachineDoesNotAllow_IsAGap()
    {
        var facts = Facts.Of(new SysctlScanner(_proc.Path, [SysctlPattern.Parse("net.ipv4.*")]) { Allowed = [SysctlPattern.Parse("net.ipv4.ip_*")] });

        Assert.Equal(["sysctl/net.ipv4.ip_forward 1"], facts.Entries);
        Assert.Contains("net.ipv4.tcp_mem", Assert.Single(facts.Gaps).Prefix.ToString());
    }

    [Fact]
    public void Scan_WithoutPatternsOrKernel_IsNoPartOfTheCoverage()
    {
        Assert.False(Facts.Of(new SysctlScanner(_proc.Path, [])).IsThere);
        Assert.False(Facts.Of(new SysctlScanner(_proc["nothing"], [SysctlPattern.Parse("a.b")])).IsThere);
    }

    [Fact]
    public void Scan_OfAnUnsetSecretOfThisMachine_IsUnreadable()
    {
        // The kernel answers EIO as long as nobody has set it.
        Assert.SkipUnless(File.Exists("/proc/sys/net/ipv6/conf/lo/stable_secret") || Environment.GetEnvironmentVariable("CI") is not null, "there is no IPv6");

        var facts = Facts.Of(new SysctlScanner("/proc", [SysctlPattern.Parse("net.ipv6.conf.lo.stable_secret")]));

        Assert.Equal("sysctl/net.ipv6.conf.lo.stable_secret unreadable", Assert.Single(facts.Entries));
    }
}
