using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

public sealed class HardLinkTests
{
    [Fact]
    public void Scan_FileOfManyNames_IsReadOnceAndEveryNameIsAnEntry()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("first", "content");
        Shell.Run(directory.Path, "for i in $(seq 500); do ln first link$i; done; printf other > other");

        var progress = new ScanProgress();
        var entries = Scans.Look(directory.Path, progress: progress).Entries(EntryKind.File);

        Assert.Equal(2, progress.FilesRead);
        var links = entries.Where(entry => entry.Fingerprint.Type == FileType.File && !entry.Key.ToString().EndsWith("other", StringComparison.Ordinal)).ToList();
        Assert.Equal(501, links.Count);
        Assert.All(links, link => Assert.Equal(Digest.Of("content"u8), link.Fingerprint.Content));
    }

    [Fact]
    public void Scan_FileThatGotAnotherName_KeepsItsFingerprint()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("first", "content");
        var before = Scans.Look(directory.Path).Find("first");

        Shell.Run(directory.Path, "ln first second");

        Assert.Equal(before, Scans.Look(directory.Path).Find("first"));
    }
}
