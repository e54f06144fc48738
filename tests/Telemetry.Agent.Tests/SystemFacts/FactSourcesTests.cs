using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.SystemFacts;

public sealed class FactSourcesTests
{
    [Fact]
    public void Scanners_OfAMachine_MakeOneTreeWhateverTheirOrder()
    {
        var sources = new FactSources("/", [.. FactSources.All.Reverse()], TimeProvider.System);
        var target = new MemoryTarget();

        var sighting = new ManifestScan([.. sources.Scanners([SysctlPattern.Parse("kernel.ostype")])], Scope.Everything, TimeProvider.System)
            .Run(target, new ScanProgress(), TestContext.Current.CancellationToken);

        var keys = TreeReader.Entries(target.Nodes, sighting.Roots.System).Select(entry => KeyText.Format(EntryKind.System, entry.Key.Bytes)).ToList();
        Assert.Contains("system:kernel/release", keys);
        Assert.Contains("system:sysctl/kernel.ostype", keys);
        Assert.Contains(@"system:mount/\x2f", keys);
        Assert.Equal(sighting.Coverage.Scanners.Select(scanner => scanner.Name).Order(StringComparer.Ordinal), sighting.Coverage.Scanners.Select(scanner => scanner.Name));
    }

    [Fact]
    public void Scanners_OfAnImage_LookAtItsUnitsOnly()
    {
        using var image = new TemporaryDirectory();

        var scanners = new FactSources(image.Path, FactSources.All, TimeProvider.System).Scanners([SysctlPattern.Parse("kernel.ostype")]);

        Assert.Equal("unit", Assert.Single(scanners).Identity.Name);
    }
}
