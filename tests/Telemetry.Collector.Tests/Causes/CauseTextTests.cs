using Telemetry.Collector.Causes;

namespace Telemetry.Collector.Tests.Causes;

public sealed class CauseTextTests
{
    [Theory]
    [InlineData("2.4.62-1", "2.4.65-1", "apache2 2.4.62-1 → 2.4.65-1")]
    [InlineData("", "2.4.65-1", "apache2 2.4.65-1 installed")]
    [InlineData("2.4.65-1", "", "apache2 2.4.65-1 removed")]
    [InlineData("2.4.65-1", "2.4.65-1", "apache2 2.4.65-1 reinstalled")]
    public void Of_APackage_SaysWhatHappenedToIt(string from, string to, string expected) =>
        Assert.Equal(expected, CauseText.Of(new PackageTransition("apache2", "amd64", from, to)));

    [Theory]
    [InlineData(1, "dpkg: p0 1 installed")]
    [InlineData(2, "dpkg: p0 1 installed and 1 more package")]
    [InlineData(4, "dpkg: p0 1 installed and 3 more packages")]
    [InlineData(0, "dpkg: packages unknown")]
    public void Of_ATransaction_NamesTheFirstAndCountsTheOthers(int count, string expected)
    {
        var packages = Enumerable.Range(0, count).Select(i => new PackageTransition($"p{i}", "amd64", "", "1"));

        Assert.Equal(expected, CauseText.Of(new PackageTransaction("1", "dpkg", Some.Time, null, [.. packages])));
    }

    [Fact]
    public void Of_AnActor_NamesProgramUserAndWhoLoggedIn()
    {
        var vim = new Actor { Pid = 1, Executable = "/usr/bin/vim", IsCertain = true, Uid = 0, User = "root", LoginUid = 1000, LoginUser = "anna" };

        Assert.Equal("vim (root, logged in as anna)", CauseText.Of(vim));
        Assert.Equal("vim? (root, logged in as anna, exited)", CauseText.Of(vim with { IsCertain = false, HasExited = true }));
        Assert.Equal("vim (uid 33, in cron.service)", CauseText.Of(vim with { Uid = 33, User = "", LoginUid = null, LoginUser = "", Unit = "cron.service" }));
        Assert.Equal("vim (anna)", CauseText.Of(vim with { Uid = 1000, User = "anna" }));
        Assert.Equal("process 7 (exited)", CauseText.Of(new Actor { Pid = 7, HasExited = true }));
        Assert.Equal("an unknown process", CauseText.Of(new Actor()));
    }
}
