using Telemetry.Agent.SystemFacts;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.SystemFacts;

public sealed class KernelScannerTests : IDisposable
{
    private readonly TemporaryDirectory _proc = new();

    public void Dispose() => _proc.Dispose();

    [Fact]
    public void Scan_OfARecordedKernel_SaysReleaseBuildAndCommandLine()
    {
        _proc.Write("cmdline", "root=/dev/vda1 my.password=hunter2 quiet\n");
        _proc.Write("sys/kernel/osrelease", "6.1.0-18-amd64\n");
        _proc.Write("sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)\n");

        var facts = Facts.Of(new KernelScanner(_proc.Path));

        Assert.True(facts.IsThere);
        Assert.Equal(
            [
                "kernel/command_line root=/dev/vda1 my.password=*** quiet",
                "kernel/release 6.1.0-18-amd64",
                "kernel/version #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)",
            ],
            facts.Entries);
    }

    [Fact]
    public void Scan_OfALongCommandLine_KeepsItsDigest()
    {
        var line = "a=" + new string('x', 300);
        _proc.Write("cmdline", line + "\n");

        var facts = Facts.Of(new KernelScanner(_proc.Path));

        Assert.Equal("kernel/command_line " + Telemetry.Protocol.Model.Digest.Of(System.Text.Encoding.UTF8.GetBytes(line)), Assert.Single(facts.Entries));
    }

    [Fact]
    public void Scan_WithoutAKernel_IsNoPartOfTheCoverage()
    {
        Assert.False(Facts.Of(new KernelScanner(_proc.Path)).IsThere);
        Assert.False(Facts.Of(new KernelScanner(_proc["nothing"])).IsThere);
    }

    [Fact]
    public void Scan_WhereAFileIsNone_IsAGapAndTheRestGoesOn()
    {
        Directory.CreateDirectory(_proc["cmdline"]);
        _proc.Write("sys/kernel/osrelease", "6.1\n");

        var facts = Facts.Of(new KernelScanner(_proc.Path));

        Assert.Equal("command_line", System.Text.Encoding.UTF8.GetString(Assert.Single(facts.Gaps).Prefix.Bytes).Split('\0')[1]);
        Assert.Equal("kernel/release 6.1", Assert.Single(facts.Entries));
    }
}
