using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

public sealed class FileAtRestTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Scan_WrittenJustNowAndStillOpen_IsUnstable()
    {
        using var writer = new FileStream(_directory["busy"], FileMode.Create, FileAccess.Write, FileShare.Read);
        writer.Write("half"u8);
        writer.Flush();

        var now = new FakeTimeProvider(File.GetLastWriteTimeUtc(_directory["busy"]));
        Assert.Equal(EntryState.Unstable, Look(now).State);
        Assert.Null(Look(now).Content);
    }

    [Fact]
    public void Scan_WrittenJustNowAndClosed_IsReadAtOnce()
    {
        _directory.Write("busy", "whole");

        Assert.Equal(Digest.Of("whole"u8), Look(TimeProvider.System).Content);
    }

    [Fact]
    public void Scan_OpenForWritingButQuietForLong_IsRead()
    {
        using var writer = new FileStream(_directory["busy"], FileMode.Create, FileAccess.Write, FileShare.Read);
        writer.Write("whole"u8);
        writer.Flush();

        Assert.Equal(Digest.Of("whole"u8), Look(Scans.LaterClock()).Content);
    }

    private Fingerprint Look(TimeProvider clock)
    {
        var nodes = new MemoryTarget();
        var sighting = Scans.Of(_directory.Path, clock: clock).Run(nodes, new ScanProgress(), TestContext.Current.CancellationToken);
        return TreeReader.Find(nodes.Nodes, sighting.Roots.File, EntryKey.Of("busy"))!;
    }
}
