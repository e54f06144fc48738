using Telemetry.Collector.Policies;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Tests.Policies;

public sealed class ScopeWideningTests
{
    private const string Before =
        """
        name = "before"
        include = ["/etc", "/usr"]
        exclude = ["/etc/cache", "/usr/share"]
        sysctls = ["kernel.panic"]
        [[rules]]
        match = ["/etc/key"]
        treat = "secret"
        [[settings]]
        files = ["/etc/hosts"]
        format = "hosts"
        """;

    [Theory]
    [InlineData("\"/etc\", \"/usr\"", "\"/etc\", \"/usr\", \"/opt\"", "include added /opt")]
    [InlineData("\"/etc\", \"/usr\"", "\"/etc\", \"/usr\", \"/etc/ssh\"", "")]
    [InlineData("\"/etc\", \"/usr\"", "\"/etc\"", "")]
    [InlineData("\"/etc/cache\", ", "", "exclude removed /etc/cache")]
    [InlineData("\"/usr/share\"", "\"/usr/share/doc\"", "exclude removed /usr/share")]
    [InlineData("\"/usr/share\"", "\"/usr\"", "")]
    [InlineData("sysctls", "one_filesystem = false\nsysctls", "one_filesystem removed true")]
    [InlineData("\"kernel.panic\"", "\"kernel.*\"", "sysctls added kernel.*")]
    [InlineData("\"kernel.panic\"", "", "")]
    [InlineData("\"/etc/hosts\"", "\"/etc/hosts\", \"/etc/fstab\"", "settings added /etc/fstab as hosts")]
    [InlineData("format = \"hosts\"", "format = \"ini\"", "settings added /etc/hosts as ini")]
    [InlineData("\"/etc/key\"", "\"/etc/key\", \"/etc/other\"", "secret added /etc/other")]
    [InlineData("treat = \"secret\"", "", "secret removed /etc/key")]
    public void Between_TwoPolicies_IsWhatAnAgentHasToLookAt(string text, string replacement, string expected)
    {
        var after = PolicyFile.Parse(Before.Replace(text, replacement, StringComparison.Ordinal), "after.toml");

        var widened = ScopeWidening.Between(PolicyFile.Parse(Before, "before.toml"), after);

        Assert.Equal(expected, string.Join(", ", widened.Select(change => $"{change.Part} {(change.IsAdded ? "added" : "removed")} {change.Text}")));
    }
}
