using Telemetry.Agent.Cli;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Cli;

public sealed class ScanReportTests
{
    [Theory]
    [InlineData(-1, "10 entries, 5 files read, 30 MB, 15 MB/s")]
    [InlineData(1_980_000_000, "10 entries, 5 files read, 30 MB, 15 MB/s, about 2:10 left")]
    [InlineData(1, "10 entries, 5 files read, 30 MB, 15 MB/s, about 0:00 left")]
    public void Text_SoFar_TellsRateAndRest(long total, string expected)
    {
        Assert.Equal(expected, ScanReport.Text(10, 5, 30_000_000, total, TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public void TreeSize_OfATree_IsWhatAScanReads()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("usr/a", "12345");
        directory.Write("usr/lib/b", "123");
        directory.Write("left/out", "123456789");
        Shell.Run(directory.Path, "ln -s /usr link; mkfifo fifo");
        var scope = new Scope([EntryKey.Root], [EntryKey.Of("left")]);

        var size = TreeSize.Count(directory.Path, scope, TestContext.Current.CancellationToken);

        var progress = new ScanProgress();
        Scans.Look(directory.Path, scope, progress: progress);
        Assert.Equal(8, progress.Bytes);
        Assert.Equal(8, size);
    }
}
