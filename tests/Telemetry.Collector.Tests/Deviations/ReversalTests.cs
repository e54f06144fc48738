using System.Text;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Deviations;

public sealed class ReversalTests
{
    private static readonly Fingerprint Directory = new() { Type = FileType.Directory, Mode = 0b111_101_101, Uid = 0, Gid = 0 };

    [Fact]
    public void OfAFileThatWasAdded_RemovesIt() => Assert.Equal(["rm -- /etc/evil"], OfFile("/etc/evil", null, Some.File()));

    [Fact]
    public void OfADirectoryThatWasAdded_RemovesItOnlyWhenItIsEmpty() => Assert.Equal(["rmdir -- /etc/evil"], OfFile("/etc/evil", null, Directory));

    [Fact]
    public void OfAMode_SetsItBack() => Assert.Equal(["chmod 0644 -- /etc/motd"], OfFile("/etc/motd", Some.File(), Some.File(mode: 0b111_111_111)));

    [Fact]
    public void OfAnOwner_SetsTheModeBehindIt() =>
        Assert.Equal(["chown -h 0:0 -- /etc/motd", "chmod 0644 -- /etc/motd"], OfFile("/etc/motd", Some.File(), Some.File() with { Uid = 7 }));

    [Fact]
    public void OfAContent_NamesWhatBelongsThere()
    {
        var step = Assert.Single(OfFile("/etc/motd", Some.File("a"), Some.File("b")));

        Assert.StartsWith("# ", step, StringComparison.Ordinal);
        Assert.Contains(Digest.Of("a"u8).ToString(), step, StringComparison.Ordinal);
    }

    /// <summary>As of a file that layers share setting by setting.</summary>
    [Fact]
    public void OfAModeWhereNoContentIsExpected_SaysNothingOfTheContent() => Assert.Equal(
        ["chmod 0644 -- /etc/hosts"],
        OfFile("/etc/hosts", Some.File() with { Content = null }, Some.File("x", mode: 0b110_000_000)));

    [Fact]
    public void OfAFileThatIsGoneWhoseContentIsNotExpected_SpeaksOfNoSecret() =>
        Assert.StartsWith("# put /etc/hosts back, of whose content as a whole nothing is expected", OfFile("/etc/hosts", Some.File() with { Content = null }, null)[0], StringComparison.Ordinal);

    [Theory]
    [InlineData("apache2", "apt-get install --reinstall -- apache2, or dnf reinstall -- apache2")]
    [InlineData("a\nreboot", "apt-get install --reinstall -- $'a\\x0areboot', or")]
    public void OfAContentOfAPackage_NamesThePackage(string package, string expected)
    {
        var step = Assert.Single(Reversal.Of(EntryKind.File, EntryKey.OfPath("/etc/motd"), Some.File("a"), Some.File("b"), package));

        Assert.Contains(expected, step, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', step);
    }

    [Fact]
    public void OfALink_LeadsItBack() =>
        Assert.Equal(["ln -sfn -- ../bin/dash /usr/bin/sh"], OfFile("/usr/bin/sh", Link("../bin/dash"), Link("/tmp/sh")));

    [Theory]
    [InlineData("2.4.62-1", "2.4.65-1", "apt-get install --allow-downgrades -- apache2:amd64=2.4.62-1")]
    [InlineData(null, "2.4.65-1", "apt-get purge -- apache2:amd64")]
    [InlineData("2.4.62-1", null, "apt-get install --allow-downgrades -- apache2:amd64=2.4.62-1")]
    public void OfAPackage_IsTheManagersOperation(string? expected, string? actual, string step) => Assert.Equal(
        [step],
        Reversal.Of(
            EntryKind.Package,
            EntryKey.Of("dpkg", "apache2", "amd64"),
            expected is null ? null : Some.Package(expected),
            actual is null ? null : Some.Package(actual)));

    [Theory]
    [InlineData("two words")]
    [InlineData("quote'and\"quote")]
    [InlineData("$(reboot);`reboot`")]
    [InlineData("line\nend\\t\x1b[31m")]
    [InlineData("-rf")]
    public void OfAnyName_TheShellTakesItForThatName(string name)
    {
        using var folder = new TemporaryDirectory();
        var path = folder[name];
        File.WriteAllText(path, "");

        var step = Assert.Single(OfFile(path, null, Some.File()));
        var (exit, _, error) = Shell.TryRun(folder.Path, "/bin/bash", "-c", step);

        Assert.Equal((0, ""), (exit, error));
        Assert.False(File.Exists(path));
        Assert.DoesNotContain('\x1b', step);
        Assert.DoesNotContain('\n', step);
    }

    [Fact]
    public void BelowARoot_IsWhatAPersonTypesOnTheMachine()
    {
        const string Root = "/mnt/my image/";

        Assert.Equal(["rm -- '/mnt/my image/etc/evil'"], Reversal.Of(EntryKind.File, EntryKey.OfPath("/etc/evil"), null, Some.File(), root: Root));
        Assert.Equal(
            ["chroot -- '/mnt/my image' apt-get purge -- evil"], Reversal.Of(EntryKind.Package, EntryKey.Of("dpkg", "evil", "all"), null, Some.Package("1"), root: Root));
        Assert.Contains(
            "by its package: chroot -- '/mnt/my image' apt-get install --reinstall -- motd",
            Assert.Single(Reversal.Of(EntryKind.File, EntryKey.OfPath("/etc/motd"), Some.File("a"), Some.File("b"), "motd", Root)), StringComparison.Ordinal);
        Assert.Contains(
            "in /mnt/my image/etc/ssh/sshd_config, set",
            Assert.Single(Reversal.Of(EntryKind.Setting, EntryKey.Of("etc/ssh/sshd_config", "Port"), new Fingerprint().WithValue("22"u8), null, root: Root)), StringComparison.Ordinal);
    }

    private static Fingerprint Link(string target) => new Fingerprint { Type = FileType.Symlink, Uid = 0, Gid = 0 }.WithTarget(Encoding.UTF8.GetBytes(target));

    private static IReadOnlyList<string> OfFile(string path, Fingerprint? expected, Fingerprint? actual) =>
        Reversal.Of(EntryKind.File, EntryKey.OfPath(path), expected, actual);
}
