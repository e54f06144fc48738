using Telemetry.Agent.SystemFacts;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.SystemFacts;

public sealed class ModuleScannerTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Scan_OfARecordedList_NamesModulesAndTaints()
    {
        var facts = Scan("""
            nvidia 56717312 3 nvidia_modeset, Live 0xffffffffc0a00000 (PO)
            zfs 4558848 6 - Live 0x0000000000000000 (POE+)
            nf_tables 311296 0 - Live 0x0000000000000000
            going 16384 0 - Unloading 0x0000000000000000
            coming 16384 0 - Loading 0x0000000000000000
            """);

        Assert.Equal(["module/coming", "module/nf_tables", "module/nvidia OP ABCDEF0123456789", "module/zfs EOP"], facts.Entries);
        Assert.Empty(facts.Gaps);
    }

    [Theory]
    [InlineData("\u0001\u0002garbage")]
    [InlineData("../../etc 1 0 - Live 0x0 (O)")]
    [InlineData("half 16384 0")]
    public void Scan_OfALineThatIsNone_IsAGapAndTheOthersAreThere(string line)
    {
        var facts = Scan(line + "\nfuse 1 1 - Live 0x0\n");

        Assert.Equal("module/fuse", Assert.Single(facts.Entries));
        Assert.Equal("module", Assert.Single(facts.Gaps).Prefix.ToString());
    }

    [Fact]
    public void Scan_OfAKernelWithoutModules_IsNoPartOfTheCoverage()
    {
        Assert.False(Facts.Of(new ModuleScanner(_folder.Path, _folder.Path)).IsThere);
    }

    private Facts Scan(string modules)
    {
        _folder.Write("proc/modules", modules);
        _folder.Write("sys/module/nvidia/srcversion", "ABCDEF0123456789\n");
        _folder.Write("sys/module/nf_tables/srcversion", "FEDCBA\n");
        return Facts.Of(new ModuleScanner(_folder["proc"], _folder["sys"]));
    }
}
