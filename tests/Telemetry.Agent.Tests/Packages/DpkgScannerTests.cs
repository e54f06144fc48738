using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Packages;

public sealed class DpkgScannerTests
{
    [Fact]
    public void Scan_WithoutDatabase_IsNoPartOfTheCoverage()
    {
        using var directory = new TemporaryDirectory();

        var coverage = Scans.Look(directory.Path).Sighting.Coverage;

        Assert.Equal("file", Assert.Single(coverage.Scanners).Name);
    }

    [Fact]
    public void Scan_BrokenDatabase_IsAGapAndTheFilesGoOn()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\nPackage: b\nSta");

        var scanned = Scans.Look(directory.Path);

        var gap = Assert.Single(scanned.Sighting.Coverage.Gaps);
        Assert.Equal((EntryKind.Package, EntryKey.Of("dpkg")), (gap.Kind, gap.Prefix));
        Assert.Contains("line 7", gap.Reason);
        Assert.Single(scanned.Entries(EntryKind.Package));
        Assert.NotNull(scanned.Find("var/lib/dpkg/status"));
    }
}
