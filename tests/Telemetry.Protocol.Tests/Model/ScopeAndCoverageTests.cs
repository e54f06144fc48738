using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class ScopeAndCoverageTests
{
    private static readonly Coverage Coverage = new(
        new Scope([Some.Key("/etc"), Some.Key("/usr")], [Some.Key("/usr/local")]),
        [new Scanner(EntryKind.File, "file", 1, 0), new Scanner(EntryKind.Package, "dpkg", 2, 1)],
        [new Gap(EntryKind.File, Some.Key("/etc/secret"), "may not be read"), new Gap(EntryKind.Package, EntryKey.Of("dpkg", "broken"), "damaged")],
        []);

    [Theory]
    [InlineData("/etc/passwd", true)]
    [InlineData("/etc", true)]
    [InlineData("/etcetera", false)]
    [InlineData("/usr/bin/ls", true)]
    [InlineData("/usr/local/bin/ls", false)]
    [InlineData("/usr/localhost", true)]
    [InlineData("/etc/secret/key", false)]
    [InlineData("/", false)]
    public void Covers_OfAFile_AsksScopeAndGaps(string path, bool expected) =>
        Assert.Equal(expected, Coverage.Covers(EntryKind.File, Some.Key(path).Bytes));

    [Fact]
    public void Covers_OfAPackage_AsksItsScanner()
    {
        Assert.True(Coverage.Covers(EntryKind.Package, EntryKey.Of("dpkg", "bash", "amd64").Bytes));
        Assert.False(Coverage.Covers(EntryKind.Package, EntryKey.Of("dpkg", "broken", "amd64").Bytes));
        Assert.False(Coverage.Covers(EntryKind.Package, EntryKey.Of("rpm", "bash").Bytes));
        Assert.False(Coverage.Covers(EntryKind.System, EntryKey.Of("module", "a").Bytes));
    }

    [Fact]
    public void IsComparableWith_AnotherMinor_IsTrueAndAnotherMajorFalse()
    {
        var scanner = new Scanner(EntryKind.File, "file", 1, 0);

        Assert.True(scanner.IsComparableWith(scanner with { Minor = 9 }));
        Assert.False(scanner.IsComparableWith(scanner with { Major = 2 }));
    }

    [Fact]
    public void Digest_OfAScope_IsThatOfItsSortedLists()
    {
        var scope = new Scope([Some.Key("/usr"), Some.Key("/etc"), Some.Key("/usr")], []);
        var parsed = new Scope([], [], [KeyPattern.Parse("/etc/x")], [SysctlPattern.Parse("a")]);

        Assert.Equal(new Scope([Some.Key("/etc"), Some.Key("/usr")], []), scope);
        Assert.NotEqual(new Scope([Some.Key("/etc")], [Some.Key("/usr")]), scope);
        Assert.Equal(Digest.Of([2, 3, .. "etc"u8, 3, .. "usr"u8, 0, 0, 0]), scope.Digest);
        Assert.Equal(Digest.Of([0, 0, 1, 6, .. "/etc/x"u8, 1, 1, .. "a"u8]), parsed.Digest);
    }

    [Theory]
    [InlineData("setting:/etc/ssh/sshd_config#Port", true)]
    [InlineData("setting:/etc/ssh/moduli#Port", false)]
    [InlineData("setting:/usr/etc/ssh/sshd_config#Port", false)]
    [InlineData("system:sysctl/kernel.panic", true)]
    [InlineData("system:sysctl/kernel.yama.ptrace_scope", false)]
    [InlineData("system:sysctl", false)]
    [InlineData("system:sysctl/vm.swappiness", false)]
    [InlineData("system:module/ext4", true)]
    public void Covers_OtherKinds_WhatWasNamed(string text, bool expected)
    {
        var scope = new Scope([Some.Key("/etc")], [], [KeyPattern.Parse("/**/sshd_config")], [SysctlPattern.Parse("kernel.*")]);
        var (kind, key) = KeyText.Parse(text);

        Assert.Equal(expected, scope.Covers(kind, key.Bytes));
    }
}
