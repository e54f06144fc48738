using System.Text;
using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.SystemFacts;

public sealed class UnitScannerTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Scan_OfAnImage_SaysWhatItsLinksSay()
    {
        MakeRoot();

        Assert.Equal(
            [
                "unit/alias.service alias nginx.service",
                "unit/empty.service masked",
                "unit/getty@tty1.service enabled",
                "unit/local.service linked",
                "unit/masked.service masked",
                "unit/needed.socket enabled",
                "unit/nginx.service enabled",
                "unit/now.service enabled-runtime",
                "unit/off.service masked-runtime",
            ],
            Facts.Of(new UnitScanner(_root.Path, failed: null)).Entries);
    }

    [Fact]
    public void Scan_OfAnImage_AgreesWithSystemctl()
    {
        MakeRoot();

        var facts = Facts.Of(new UnitScanner(_root.Path, failed: null));

        // Its short word for an alias does not say of what.
        Assert.All(facts.Entries.Select(entry => entry["unit/".Length..].Split(' ')), entry => Assert.Equal(
            entry[1], Shell.TryRun("/", "systemctl", $"--root={_root.Path}", "is-enabled", entry[0]).Output.Trim()));

        // Of an instance's template it says whether all instances are.
        var listed = Shell.Run("/", $"systemctl --root='{_root.Path}' list-unit-files --no-legend --state=enabled,enabled-runtime,masked,masked-runtime,linked,alias | awk '{{ print $1 }}'");
        Assert.Equal(
            listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal),
            facts.Entries.Select(entry => entry["unit/".Length..].Split(' ')[0]).Where(name => !name.Contains('@')));
    }

    [Fact]
    public void Scan_OfOddNames_TakesWhatIsAUnit()
    {
        Link("etc/systemd/system/multi-user.target.wants/a b\n.service", "/x");
        Link("etc/systemd/system/multi-user.target.wants/readme", "/x");
        Link("etc/systemd/system/multi-user.target.wants/.service", "/x");
        _root.Write("etc/systemd/system/multi-user.target.wants/file.service", "[Unit]");
        _root.Write("etc/systemd/system/nginx.service.d/override.conf", "[Service]");

        Assert.Equal([@"unit/a b\x0a.service enabled"], Facts.Of(new UnitScanner(_root.Path, failed: null)).Entries);
    }

    [Fact]
    public void Scan_OfAFolderThatIsALink_DoesNotFollowIt()
    {
        Directory.CreateDirectory(_root["etc/systemd/system"]);
        Link("etc/systemd/system/multi-user.target.wants", "/etc/systemd/system/multi-user.target.wants");

        var facts = Facts.Of(new UnitScanner(_root.Path, failed: null));

        Assert.True(facts.IsThere);
        Assert.Empty(facts.Entries);
    }

    [Fact]
    public void Scan_WithoutSystemd_IsNoPartOfTheCoverage()
    {
        Assert.False(Facts.Of(new UnitScanner(_root.Path, failed: null)).IsThere);
    }

    [Fact]
    public void Failed_AsSystemctlPrintsThem_AreNames()
    {
        // systemctl 252: list-units --state=failed --all --full --plain --no-legend
        const string Output = """
            nginx.service                       loaded failed failed A high performance web server
            systemd-fsck@dev-disk-by\x2dlabel.service loaded failed failed File System Check
            mnt-data.mount                      loaded failed failed /mnt/data

            """;
        var names = new List<EntryKey>();

        FailedUnits.Parse(Encoding.UTF8.GetBytes(Output), names);

        Assert.Equal(
            ["nginx.service", @"systemd-fsck@dev-disk-by\x2dlabel.service", "mnt-data.mount"],
            names.Select(name => Encoding.UTF8.GetString(name.Bytes)));
    }

    [Fact]
    public void Failed_WhenSystemctlCannotBeStarted_IsAGapAndTheFilesAreThere()
    {
        MakeRoot();

        var facts = Facts.Of(new UnitScanner(_root.Path, new FailedUnits("/no/such/systemctl")));

        Assert.Contains("can't be started", Assert.Single(facts.Gaps).Reason);
        Assert.Equal(9, facts.Entries.Count);
    }

    /// <summary>A folder of units, and links in every way that systemctl enable, mask and link make them.</summary>
    private void MakeRoot()
    {
        foreach (var name in (string[])["nginx", "masked", "empty", "now", "off", "getty@", "vendor", "disabled"])
            _root.Write($"usr/lib/systemd/system/{name}.service", "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n");
        _root.Write("usr/lib/systemd/system/needed.socket", "[Socket]\nListenStream=/x\n[Install]\nRequiredBy=nginx.service\n");
        _root.Write("usr/lib/systemd/system/multi-user.target", "[Unit]\n");
        _root.Write("opt/local.service", "[Service]\nExecStart=/bin/true\n");
        Link("usr/lib/systemd/system/multi-user.target.wants/vendor.service", "../vendor.service");
        Link("etc/systemd/system/multi-user.target.wants/nginx.service", "/usr/lib/systemd/system/nginx.service");
        Link("etc/systemd/system/nginx.service.requires/needed.socket", "/usr/lib/systemd/system/needed.socket");
        Link("etc/systemd/system/getty.target.wants/getty@tty1.service", "/usr/lib/systemd/system/getty@.service");
        Link("etc/systemd/system/multi-user.target.wants/masked.service", "/usr/lib/systemd/system/masked.service");
        Link("etc/systemd/system/masked.service", "/dev/null");
        _root.Write("etc/systemd/system/empty.service", "");
        Link("etc/systemd/system/alias.service", "/usr/lib/systemd/system/nginx.service");
        Link("etc/systemd/system/local.service", "/opt/local.service");
        Link("run/systemd/system/multi-user.target.wants/now.service", "/usr/lib/systemd/system/now.service");
        Link("run/systemd/system/off.service", "/dev/null");
    }

    private void Link(string name, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root[name])!);
        File.CreateSymbolicLink(_root[name], target);
    }
}
