using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests;

public sealed class AgentOptionsTests
{
    private static readonly Dictionary<string, string> NoEnvironment = [];

    [Fact]
    public void Load_ShippedExample_GivesTheDefaults()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Telemetry.sln")))
            root = root.Parent!;

        var options = AgentOptions.Load(Path.Combine(root.FullName, "deploy/agent.toml"), NoEnvironment);

        Assert.Null(options.Collector);
        Assert.Equal("/", options.Root);
        Assert.Equal("/var/lib/telemetry-agent", options.StateDirectory);
        Assert.Equal(Environment.MachineName, options.Instance.Name);
        Assert.Equal(TimeSpan.FromSeconds(10), options.Scan.Interval);
        Assert.Equal(TimeSpan.FromSeconds(10), options.Health.Interval);
        Assert.Equal(TimeSpan.FromMinutes(10), options.State.ReturnAfter);
        Assert.Equal((64L << 20, 0.1), (options.Spool.Bytes, options.Spool.FreeShare));
        Assert.True(options.Limits.IsSecret(EntryKey.OfPath("etc/shadow").Bytes));
        Assert.True(options.Limits.MayParse(EntryKey.OfPath("etc/hosts"), "hosts"));
        Assert.Equal((null, false), (options.Limits.Sysctls, options.Limits.OneFilesystem));
        Assert.Equal(FactSources.All, options.System.Facts);
    }

    [Fact]
    public void Load_OfFacts_TellsNoneFromNotSetAndRefusesOthers()
    {
        Assert.Equal(FactSources.All, Load("").System.Facts);
        Assert.Empty(Load("[system]\nfacts = []").System.Facts);
        Assert.Equal(["unit"], Load("[system]\nfacts = [\"unit\"]").System.Facts);

        var failure = Assert.Throws<ConfigurationException>(() => Load("[system]\nfacts = [\"units\"]"));
        Assert.Contains("'units'; there are kernel, module, mount, socket, sysctl, unit.", failure.Message);
    }

    [Fact]
    public void Load_EmptyListOfParsableFiles_AllowsNone()
    {
        Assert.False(Load("settings.allow = []").Limits.MayParse(EntryKey.OfPath("etc/hosts"), "hosts"));
    }

    [Theory]
    [InlineData("", "etc/shadow", "shadow", true)]
    [InlineData("", "etc/shadow", "properties", false)]
    [InlineData("", "etc/hosts", "properties", false)]
    [InlineData("", "srv/a.ini", "ini", false)]
    [InlineData("settings.allow = [\"/etc/*\", \"/srv\"]", "srv/a.ini", "ini", true)]
    [InlineData("settings.allow = [\"/etc/*\", \"/srv\"]", "etc/hosts", "properties", true)]
    [InlineData("settings.allow = [\"/etc/*\", \"/srv\"]", "etc/shadow", "properties", false)]
    [InlineData("settings.allow = [\"/etc/*\"]\npolicy.secret = []", "etc/shadow", "properties", true)]
    public void MayParse_OfAFile_IsBoundToItsFormat(string text, string file, string format, bool expected)
    {
        Assert.Equal(expected, Load(text).Limits.MayParse(EntryKey.OfPath(file), format));
    }

    [Fact]
    public void Load_ParsableFilesThatAreNoFiles_AreMistakes()
    {
        var failure = Assert.Throws<ConfigurationException>(() => Load("settings.allow = [\"package:dpkg/x\", \"etc\"]"));

        Assert.Contains("'package:dpkg/x'", failure.Message);
        Assert.Contains("'etc'", failure.Message);
    }

    [Fact]
    public void Load_EveryKey_IsTaken()
    {
        var options = Load("""
            collector = "http://127.0.0.1:7443"
            root = "/mnt"
            state_directory = "/state"
            [instance]
            name = "web-1"
            group = "web"
            customer = "acme"
            tags = { zone = "a" }
            [watch]
            include = ["/etc"]
            exclude = ["/etc/x"]
            [scan]
            interval = "5m"
            [health]
            interval = "30s"
            [spool]
            size = "1GiB"
            free_percent = 25
            """);

        Assert.Equal(new Uri("http://127.0.0.1:7443"), options.Collector);
        Assert.Equal(("/mnt", "/state"), (options.Root, options.StateDirectory));
        Assert.Equal(("web-1", "web", "acme", "a"), (options.Instance.Name, options.Instance.Group, options.Instance.Customer, options.Instance.Tags["zone"]));
        Assert.Equal(["/etc", "/etc/x"], [.. options.Watch.Include, .. options.Watch.Exclude]);
        Assert.Equal((TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30)), (options.Scan.Interval, options.Health.Interval));
        Assert.Equal((1L << 30, 0.25), (options.Spool.Bytes, options.Spool.FreeShare));
    }

    [Theory]
    [InlineData("500ms")]
    [InlineData("25h")]
    public void Load_SamplesTooOftenOrTooRarely_SaysWhatIsAllowed(string interval) =>
        Assert.Contains(
            "health.interval must be a duration from 1s to 24h, such as \"10s\", \"5m\" or \"24h\".",
            Assert.Throws<ConfigurationException>(() => Load($"[health]\ninterval = \"{interval}\"")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Load_ProbesWithIntervalsOfTheirOwn_KeepsTheOthers()
    {
        var health = Load("[health]\ninterval = \"5s\"\ntimeout = \"2s\"\nprobes = [\"cpu\", \"disk\", \"systemd_units\"]\n[health.intervals]\ndisk = \"5m\"").Health;

        Assert.Equal(["cpu", "disk", "systemd_units"], health.Probes);
        Assert.Equal([5.0, 300, 60], health.Probes.Select(probe => health.IntervalOf(probe).TotalSeconds));
        Assert.Equal(TimeSpan.FromSeconds(2), health.Timeout);
        Assert.Equal(13, Load("").Health.Probes.Count);
    }

    [Theory]
    [InlineData("[health]\nprobes = [\"cpuu\"]", "has 'cpuu'; there are cpu, mem")]
    [InlineData("[health.intervals]\ncpuu = \"5s\"", "did you mean health.intervals.cpu?")]
    [InlineData("[health.intervals]\ncpu = \"0s\"", "health.intervals.cpu must be a duration from 1s")]
    [InlineData("[checks]\nuser = \"root\"", "other than root")]
    [InlineData("[checks]\nlayers = \"x\"", "absolute path")]
    [InlineData("[checks]\nmemory = \"1MiB\"", "at least 16384KiB")]
    public void Load_ProbesAndChecksThatCannotBe_AreRefusedWithTheRemedy(string text, string why) =>
        Assert.Contains(why, Assert.Throws<ConfigurationException>(() => Load(text)).Message);

    [Theory]
    [InlineData("size = \"64MB\"", "MiB")]
    [InlineData("size = \"10KiB\"", "at least 1024KiB")]
    [InlineData("size = 64", "spool.size")]
    [InlineData("free_percent = 0", "from 1 to 100")]
    public void Load_SpoolThatCannotBe_IsRefusedWithTheRemedy(string setting, string why)
    {
        var failure = Assert.Throws<ConfigurationException>(() => Load("[spool]\n" + setting));

        Assert.Contains(why, failure.Message);
    }

    [Fact]
    public void Load_ManyMistakes_AreAllReportedWithTheirPlace()
    {
        var failure = Assert.Throws<ConfigurationException>(() => Load("""
            colector = "http://127.0.0.1:1"
            root = "x"
            [watch]
            inclde = ["/etc"]
            exclude = ["etc"]
            [scan]
            interval = "10"
            """));

        string[] expected = ["agent.toml:1", "collector?", "agent.toml:2", "agent.toml:4", "watch.include?", "agent.toml:5", "agent.toml:7", "duration"];
        Assert.All(expected, text => Assert.Contains(text, failure.Message));
        Assert.Equal(5, failure.Mistakes.Count);
    }

    [Theory]
    [InlineData("https://127.0.0.1:7443", "TLS")]
    [InlineData("http://collector.example:7443", "another machine")]
    [InlineData("collector:7443", "URL")]
    [InlineData("http://127.0.0.1:7443/path", "a path, query or fragment")]
    [InlineData("http://127.0.0.1:7443/?token=secret", "a path, query or fragment")]
    [InlineData("http://127.0.0.1:7443/#c", "a path, query or fragment")]
    [InlineData("http://anna:secret@127.0.0.1:7443", "user and password")]
    public void Load_CollectorThatCannotBe_IsRefusedWithTheRemedy(string url, string why)
    {
        var failure = Assert.Throws<ConfigurationException>(() => Load($"collector = \"{url}\""));

        Assert.Contains(why, failure.Message);
        Assert.DoesNotContain("secret", failure.Message);
    }

    [Fact]
    public void Load_EnvironmentOverrides_WinOverTheFile()
    {
        var options = Load(
            "root = \"/a\"\n[health]\ninterval = \"10s\"",
            new() { ["TELEMETRY_AGENT__ROOT"] = "/b", ["TELEMETRY_AGENT__HEALTH__INTERVAL"] = "1m", ["TELEMETRY_AGENT__WATCH__INCLUDE"] = "[\"/etc\"]" });

        Assert.Equal("/b", options.Root);
        Assert.Equal(TimeSpan.FromMinutes(1), options.Health.Interval);
        Assert.Equal(["/etc"], options.Watch.Include);
    }

    private static AgentOptions Load(string text, Dictionary<string, string>? environment = null)
    {
        using var directory = new TemporaryDirectory();
        return AgentOptions.Load(directory.Write("agent.toml", text), environment ?? NoEnvironment);
    }
}
