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
    public void Parse_LongJournal_TakesTimeByItsLength()
    {
        var packages = Enumerable.Range(0, 50_000).Select(i => Bash.Replace("bash", $"p{i}", StringComparison.Ordinal)).ToList();
        var journal = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(packages)));
        var started = ProcessorTime.OfThisThread;

        var status = DpkgStatus.Parse(new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(packages))), [("0000", journal)]);

        // By its square it would be minutes.
        Assert.Equal((null, 50_000), (status.Mistake, status.Packages.Count));
        Assert.InRange(ProcessorTime.OfThisThread - started, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Parse_MorePackagesThanThereAre_SaysSo()
    {
        var packages = Enumerable.Range(0, 100_001).Select(i => Bash.Replace("bash", $"p{i}", StringComparison.Ordinal));

        var status = Parse(string.Concat(packages));

        Assert.Contains("more than 100000 packages", status.Mistake);
        Assert.Equal(100_000, status.Packages.Count);
    }

    [Fact]
    public void Parse_LineLongerThanTheBuffer_IsSkippedWhole()
    {
        var status = Parse("Package: long\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nConffiles:\n " + new string('x', 200_000) + "\n\n" + Bash);

        Assert.Null(status.Mistake);
        Assert.Equal(2, status.Packages.Count);
    }

    [Theory]
    [InlineData("install reinstreq half-installed")]
    [InlineData("install ok unpacked")]
    [InlineData("install ok half-configured")]
    [InlineData("install ok triggers-awaited")]
    [InlineData("install ok triggers-pending")]
    [InlineData("deinstall ok config-files")]
    [InlineData("hold ok installed")]
    public void Parse_PackageInAnyState_IsAnEntryThatSaysSo(string words)
    {
        var status = Parse($"Package: a\nStatus: {words}\nArchitecture: amd64\nVersion: 1\n\n");

        Assert.Null(status.Mistake);
        Assert.Equal(words, Assert.Single(status.Packages).Fingerprint.Status.ToString());
    }

    [Fact]
    public void Parse_FirstInstallationThatBrokeOffBeforeAVersion_IsAnEntry()
    {
        var status = Parse("Package: a\nStatus: install reinstreq half-installed\nArchitecture: amd64\n\n");

        Assert.Null(status.Mistake);
        Assert.Null(Assert.Single(status.Packages).Fingerprint.Version);
    }

    [Fact]
    public void Parse_OnePackageForTwoArchitectures_IsTwoEntries()
    {
        var stanza = "Package: libc6\nStatus: install ok installed\nArchitecture: {0}\nMulti-Arch: same\nVersion: 2.36\n\n";

        var status = Parse(string.Format(null, stanza, "amd64") + string.Format(null, stanza, "i386"));

        Assert.Null(status.Mistake);
        Assert.Equal(["amd64", "i386"], status.Packages.Select(package => package.Architecture.ToString()));
    }

    [Theory]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(4096)]
    public void Fingerprint_OfALongVersion_FitsAndTellsItFromOthers(int length)
    {
        var versions = ((string[])["1", "2"]).Select(end => new string('9', length - 1) + end);

        var encoded = versions.Select(version =>
            Parse($"Package: a\nStatus: deinstall reinstreq triggers-awaited\nArchitecture: all\nVersion: {version}\n\n").Packages.Single().Fingerprint.Encode()).ToList();

        Assert.All(encoded, bytes => Assert.True(bytes.Length <= Fingerprint.MaxLength));
        Assert.NotEqual(encoded[0], encoded[1]);
    }

    [Theory]
    [InlineData("Version: ", 5000)]
    [InlineData("Status: ", 65)]
    public void Parse_ValueLongerThanAnyRealOne_IsAMistake(string field, int length)
    {
        Assert.Contains("line 2", Parse($"Package: a\n{field}{new string('x', length)}\nArchitecture: all\n\n").Mistake);
    }

    [Fact]
    public void Parse_Conffiles_HaveTheirPathsAndDigests()
    {
        var status = Parse("""
            Package: a
            Status: install ok installed
            Architecture: all
            Version: 1
            Conffiles:
             /etc/a b.conf 0123456789abcdef0123456789abcdef
             /etc/old.conf fedcba9876543210fedcba9876543210 obsolete
             /etc/new.conf newconffile
            Description: /etc/none.conf
             /etc/nor.this 0123456789abcdef0123456789abcdef


            """);

        Assert.Null(status.Mistake);
        Assert.Equal(
            ["/etc/a b.conf 0123456789abcdef0123456789abcdef", "/etc/old.conf fedcba9876543210fedcba9876543210", "/etc/new.conf newconffile"],
            status.Packages.Single().Conffiles.Select(conffile => $"{conffile.Path} {conffile.Md5}"));
    }

    [Fact]
    public void Parse_Updates_StandInPlaceOfWhatCameBefore()
    {
        var status = Parse(
            Bash + Gone,
            "Package: bash\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 5.3\n",
            "Package: new\nStatus: install ok unpacked\nArchitecture: all\nVersion: 1\n",
            "Package: gone\nStatus: purge ok not-installed\nArchitecture: amd64\n");

        Assert.Null(status.Mistake);
        Assert.Equal(["bash 5.3 install ok half-configured", "new 1 install ok unpacked"], Lines(status));
    }

    [Fact]
    public void Parse_UpdateToAnotherArchitecture_ReplacesOnlyWhatCannotBeThereTwice()
    {
        const string Library = "Package: lib\nStatus: install ok installed\nArchitecture: {0}\nMulti-Arch: same\nVersion: {1}\n\n";

        var status = Parse(
            Bash + string.Format(null, Library, "amd64", 1),
            "Package: bash\nStatus: install ok unpacked\nArchitecture: i386\nVersion: 5.2-1\n",
            string.Format(null, Library, "i386", 2));

        Assert.Equal(["bash i386", "lib amd64", "lib i386"], status.Packages.Select(package => $"{package.Name} {package.Architecture}"));
    }

    [Fact]
    public void Parse_BrokenUpdate_IsNamed()
    {
        Assert.StartsWith("update 0: line 1", Parse(Bash, "rubbish\n").Mistake);
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

    private static IEnumerable<string> Lines(DpkgStatus status) =>
        status.Packages.Select(package => $"{package.Name} {package.Version} {package.Status}");

    private static DpkgStatus Parse(string text, params string[] updates) =>
        DpkgStatus.Parse(Bytes(text), updates.Select((update, index) => ($"update {index}", (Stream)Bytes(update))));

    private static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n")));
}
