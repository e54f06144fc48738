using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Protocol.Tests.Policies;

public sealed class PolicyFileTests
{
    [Fact]
    public void Parse_Rules_FirstMatchDecides()
    {
        var policy = PolicyFile.Parse(
            """
            name = "web"
            exclude = ["/srv/data"]
            [[rules]]
            match = ["/etc/app/secret.key"]
            treat = "secret"
            [[rules]]
            match = ["/etc/app", "setting:/etc/app/*#Color"]
            treat = "presence"
            severity = "low"
            """,
            "web.toml");

        Assert.Equal("web", policy.Name);
        Assert.Equal([EntryKey.Root], policy.Include);
        Assert.Equal([EntryKey.OfPath("/srv/data")], policy.Exclude);
        Assert.Equal(Treatment.Secret, Treat(policy, "/etc/app/secret.key"));
        Assert.Equal(Treatment.Presence, Treat(policy, "/etc/app/other"));
        Assert.Equal(Treatment.Presence, Treat(policy, "setting:/etc/app/x.conf#Color"));
        Assert.Equal(Treatment.Full, Treat(policy, "/etc/hosts"));
        Assert.Equal(Severity.Low, policy.RuleOf(EntryKind.File, EntryKey.OfPath("/etc/app/other").Bytes)!.Severity);
    }

    [Fact]
    public void Parse_Mistakes_AreInTheOrderOfTheirLines()
    {
        var exception = Assert.Throws<ConfigurationException>(() => PolicyFile.Parse(
            "exlude = [\"/srv\"]\nname = \"we b\"\n[[rules]]\ntreat = \"sceret\"\n[[settings]]\nfiels = []\n", "web.toml"));

        int[] lines = [.. exception.Mistakes.Select(mistake => int.Parse(mistake.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(lines.Order(), lines);
        Assert.Equal([1, 2], lines[..2]);
    }

    [Theory]
    [InlineData("name = \"a\"\nx = ", "[", 100_000)]
    [InlineData("name = \"a\"\nx = ", "{ a = ", 100_000)]
    [InlineData("x", ".x", 100_000)]
    public void Parse_NestedWithoutEnd_IsAMistake(string begin, string piece, int times)
    {
        var text = begin + string.Concat(Enumerable.Repeat(piece, times)) + " = 1\n";

        Assert.StartsWith("web.toml:", Assert.Throws<ConfigurationException>(() => PolicyFile.Parse(text, "web.toml")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_Mistakes_AllAtOnceWithTheirPlaces()
    {
        var exception = Assert.Throws<ConfigurationException>(() => PolicyFile.Parse(
            """
            name = "Not A Name"
            exlude = ["/srv"]
            include = ["srv"]
            profiles = ["none"]
            [[rules]]
            treat = "sceret"
            severity = "7"
            [[settings]]
            files = ["package:dpkg/bash"]
            format = "yaml"
            """,
            "web.toml"));

        var mistakes = exception.Message;
        Assert.Contains("web.toml:1: name is 'Not A Name'; it must be one word", mistakes, StringComparison.Ordinal);
        Assert.Contains("web.toml:2: there is no setting exlude; did you mean exclude?", mistakes, StringComparison.Ordinal);
        Assert.Contains("web.toml:3: include has 'srv'", mistakes, StringComparison.Ordinal);
        Assert.Contains("web.toml:4: profiles has 'none'", mistakes, StringComparison.Ordinal);
        Assert.Contains("rules.match must have at least one pattern", mistakes, StringComparison.Ordinal);
        Assert.Contains("rules.treat is 'sceret'", mistakes, StringComparison.Ordinal);
        Assert.Contains("rules.severity is '7'", mistakes, StringComparison.Ordinal);
        Assert.Contains("settings.files must be paths", mistakes, StringComparison.Ordinal);
        Assert.Contains("settings.format is 'yaml'", mistakes, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/etc/shadow", Treatment.Secret)]
    [InlineData("/etc/shadow-", Treatment.Secret)]
    [InlineData("/etc/ssl/private/site.key", Treatment.Secret)]
    [InlineData("/etc/ld.so.cache", Treatment.Derived)]
    [InlineData("/var/lib/dpkg/status", Treatment.Derived)]
    [InlineData("/etc/machine-id", Treatment.Presence)]
    [InlineData("/etc/ssh/ssh_host_ed25519_key", Treatment.Presence)]
    [InlineData("/usr/lib/python3/dist-packages/a/__pycache__/b.pyc", Treatment.Ignore)]
    [InlineData("/etc/passwd", Treatment.Full)]
    [InlineData("package:dpkg/bash:amd64", Treatment.Full)]
    public void Default_WellKnownEntry_IsTreated(string key, Treatment expected)
    {
        Assert.Equal(expected, Treat(ShippedPolicies.Default, key));
    }

    private static Treatment Treat(Policy policy, string text)
    {
        var (kind, key) = KeyText.Parse(text);
        return policy.TreatmentOf(kind, key.Bytes);
    }
}
