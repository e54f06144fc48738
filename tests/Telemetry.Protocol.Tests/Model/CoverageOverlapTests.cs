using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>What two manifests can't be compared in is said, and on which side it is missing.</summary>
public sealed class CoverageOverlapTests
{
    private static readonly Scanner Files = new(EntryKind.File, "file", 1, 0), Settings = new(EntryKind.Setting, "setting", 1, 0);

    [Theory]
    [InlineData("/etc /usr", "/etc /usr", "")]
    [InlineData("/etc", "/no/such/dir", "/etc")]
    [InlineData("/etc", "/etc/apt", "/etc")]
    [InlineData("/etc/apt", "/etc", "")]
    [InlineData("/etc /usr", "/usr", "/etc")]
    [InlineData("/", "/ -/home", "/home")]
    [InlineData("/ -/home", "/ -/home/anna", "")]
    [InlineData("/etc -/etc/ssl", "/etc/ssl /etc/ssl/certs", "/etc")]
    [InlineData("/usr /usr/local -/usr/local/share", "/usr -/usr/local", "/usr/local")]
    [InlineData("/a/b /c", "/a/b/c", "/a/b /c")]
    public void FilesBeyond_AnotherScope_AreTheTopmostPathsWithSuch(string scope, string other, string expected) =>
        Assert.Equal(expected, string.Join(' ', Scope(scope).FilesBeyond(Scope(other)).Select(path => KeyText.Format(EntryKind.File, path.Bytes))));

    [Theory]
    [InlineData("/etc /usr", "/usr /srv", "not compared: files below /etc (only what is expected covers them); files below /srv (only what is there covers them)")]
    [InlineData("/a /b /c /d /e", "/a", "not compared: files below /b, /c, /d and 1 more (only what is expected covers them)")]
    [InlineData("/a", "/a", null)]
    public void LeftOut_OfScopes_NamesTheSideThatCoversMore(string expected, string actual, string? leftOut) =>
        Assert.Equal(leftOut, new CoverageOverlap(Of(Scope(expected)), Of(Scope(actual))).LeftOut);

    [Theory]
    [InlineData("/etc", "/etc", true)]
    [InlineData("/etc", "/ ", true)]
    [InlineData("/etc /usr", "/etc", false)]
    public void ReachesExpected_OfScopes_IsWhetherTheActualOneCoversAsMuch(string expected, string actual, bool reaches) =>
        Assert.Equal(reaches, new CoverageOverlap(Of(Scope(expected)), Of(Scope(actual))).ReachesExpected);

    [Fact]
    public void ReachesExpected_WithoutAScannerOrPatterns_IsFalse()
    {
        var parsed = new Scope([Some.Key("/etc")], [], [KeyPattern.Parse("/etc/hosts")], [SysctlPattern.Parse("kernel.*")]);
        var all = Of(parsed, Files, Settings);

        Assert.True(new CoverageOverlap(all, all).ReachesExpected);
        Assert.True(new CoverageOverlap(Of(Scope("/etc")), all).ReachesExpected);
        Assert.False(new CoverageOverlap(all, Of(parsed, Files)).ReachesExpected);
        Assert.False(new CoverageOverlap(all, Of(Scope("/etc"), Files, Settings)).ReachesExpected);
        Assert.Contains("kernel parameters", new CoverageOverlap(all, Of(Scope("/etc"), Files, Settings)).LeftOut, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/etc/apt", false)]
    [InlineData("/", false)]
    [InlineData("/etc/ssl/certs", true)]
    [InlineData("/usr", true)]
    public void ReachesExpected_WithAGap_AsksWhetherTheExpectedSideSaysSomethingThere(string gap, bool reaches)
    {
        var expected = Of(Scope("/etc")) with { Gaps = [new Gap(EntryKind.File, Some.Key("/etc/ssl"), "may not be read")] };
        var actual = Of(Scope("/etc")) with { Gaps = [new Gap(EntryKind.File, Some.Key(gap), "hangs")] };

        Assert.Equal(reaches, new CoverageOverlap(expected, actual).ReachesExpected);
    }

    [Fact]
    public void LeftOut_OfPathsAsLongAsTheyMayBe_ShowsTheirBeginnings()
    {
        var path = new EntryKey([.. Enumerable.Repeat((byte)'a', EntryKey.MaxLength)]);
        var actual = Of(new Scope([path], [])) with { Gaps = [new Gap(EntryKind.File, path, "hangs")] };

        var leftOut = new CoverageOverlap(Of(Scope("/etc")), actual).LeftOut;

        Assert.Contains($"/{new string('a', 199)}… (hangs)", leftOut, StringComparison.Ordinal);
        Assert.InRange(leftOut!.Length, 400, 600);
    }

    private static Coverage Of(Scope scope, params Scanner[] scanners) => new(scope, scanners.Length == 0 ? [Files] : [.. scanners], [], []);

    /// <param name="text">Paths; excluded behind a minus.</param>
    private static Scope Scope(string text)
    {
        var paths = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToLookup(path => path[0] == '-', path => Some.Key(path.TrimStart('-')));
        return new Scope(paths[false], paths[true]);
    }
}
