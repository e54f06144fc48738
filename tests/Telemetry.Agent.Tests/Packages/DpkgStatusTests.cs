using System.Text;
using Telemetry.Agent.Packages;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Packages;

public sealed class DpkgStatusTests
{
    private const string Bash = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\nDescription: shell\n long text: with colon\n .\n\n";
    private const string Gone = "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1.0\n\n";

    [Fact]
    public void Parse_GoodFile_YieldsEveryPackageInKeyOrder()
    {
        var status = Parse(Gone + Bash);

        Assert.Null(status.Mistake);
        Assert.Equal(["package:dpkg/bash:amd64", "package:dpkg/gone:amd64"], status.Packages.Select(package => KeyText.Format(EntryKind.Package, package.Key.Bytes)));
        Assert.Equal("deinstall ok config-files", status.Packages[1].Status.ToString());
        Assert.Equal("5.2-1", status.Packages[0].Version.ToString());
    }

    [Theory]
    [InlineData("Package: half\nStatus: install ok inst", "line 10")]
    [InlineData("Package: noversion\nStatus: install ok installed\nArchitecture: all\n\n", "line 9")]
    [InlineData("Status: install ok installed\nVersion: 1\nArchitecture: all\n\n", "line 9")]
    [InlineData("\u0001\u0002binary\u0000garbage\n\n", "line 9")]
    [InlineData("Package: bash\nPackage: twice\nStatus: a b c\nVersion: 1\nArchitecture: all\n\n", "line 10")]
    [InlineData(Bash, "repeats a package")]
    public void Parse_BrokenStanza_NamesThePlaceAndKeepsTheOthers(string stanza, string place)
    {
        var status = Parse(Bash + stanza);

        Assert.Contains(place, status.Mistake);
        Assert.Equal("bash", Assert.Single(status.Packages).Name.ToString());
    }

    [Fact]
    public void Parse_PackageThatWasNeverInstalled_IsNoEntry()
    {
        Assert.Empty(Parse("Package: wanted\nStatus: unknown ok not-installed\nPriority: optional\n\n").Packages);
    }

    [Fact]
    public void Parse_LineLongerThanTheBuffer_IsSkippedWhole()
    {
        var status = Parse("Package: long\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nConffiles:\n " + new string('x', 200_000) + "\n\n" + Bash);

        Assert.Null(status.Mistake);
        Assert.Equal(2, status.Packages.Count);
    }

    [Fact]
    public void Parse_ThisMachine_AgreesWithDpkgQuery()
    {
        Assert.SkipUnless(File.Exists("/var/lib/dpkg/status") || Environment.GetEnvironmentVariable("CI") is not null, "there is no dpkg here");
        using var stream = File.OpenRead("/var/lib/dpkg/status");

        var actual = DpkgStatus.Parse(stream).Packages
            .Select(package => $"{package.Name} {package.Architecture} {package.Version} {package.Status}").Order(StringComparer.Ordinal);

        var query = Shell.Run("/", "dpkg-query -W -f='${Package} ${Architecture} ${Version} ${Status}\\n'");
        Assert.Equal(query.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), actual);
    }

    private static DpkgStatus Parse(string text) => DpkgStatus.Parse(new MemoryStream(Encoding.UTF8.GetBytes(text)));
}
