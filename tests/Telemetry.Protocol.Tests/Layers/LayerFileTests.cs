using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Layers;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Protocol.Tests.Layers;

public sealed class LayerFileTests
{
    [Fact]
    public void Parse_TheShippedExample_HasAllThatAVendorShips()
    {
        var file = LayerFile.Parse(File.ReadAllText(Path.Combine(Programs.Repository, "deploy", "layers.d", "example.toml")), "example.toml");

        Assert.Equal(("apache", "2.4.62-1", "acme"), (file.Name, file.Version, file.Owner));
        Assert.Equal(["/etc/apache2", "/var/www", "package:dpkg/apache2*", "setting:/etc/security/limits.conf#www-data"], file.Claims.Owns.Select(pattern => pattern.Text));
        Assert.Equal(["tcp/80", "tcp/443"], file.Claims.Ports);
        Assert.Equal("apache", Assert.Single(file.Settings).Format);
        Assert.Equal([Severity.Critical, Severity.High], file.Severities.Select(said => said.Severity));
        var check = Assert.Single(file.Checks);
        Assert.Equal(("http", "/usr/lib/nagios/plugins/check_http", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10)), (check.Name, check.Command[0], check.Interval, check.Timeout));
        Assert.False(check.DefinesService);
    }

    [Fact]
    public void Parse_ACheckThatDefinesTheService_SaysSo()
    {
        var file = LayerFile.Parse("[[checks]]\nname = \"http\"\ncommand = [\"/bin/true\"]\ndefines_service = true\n", "x.toml");

        Assert.True(Assert.Single(file.Checks).DefinesService);
    }

    [Fact]
    public void Parse_Nothing_ClaimsNothing()
    {
        var file = LayerFile.Parse("", "empty.toml");

        Assert.Empty(file.Claims.Owns);
        Assert.Empty(file.Checks);
        Assert.Null(file.Owner);
    }

    [Fact]
    public void Parse_Mistakes_AreAllToldWithTheirPlaces()
    {
        var mistakes = Assert.Throws<ConfigurationException>(() => LayerFile.Parse(
            """
            name = "two words"
            owns = ["nothing"]
            ports = ["80"]
            [[settings]]
            files = ["/etc/app.conf"]
            format = "apach"
            [[severities]]
            match = ["/etc/app.conf"]
            severity = "loud"
            [[severities]]
            match = ["/etc/app.conf"]
            [[checks]]
            name = "http"
            command = ["check_http"]
            [[checks]]
            name = "http"
            command = ["/bin/true"]
            interval = "5s"
            timeout = "9s"
            [[checks]]
            comand = ["/bin/true"]
            """, "app.toml")).Mistakes;

        Assert.Collection(
            mistakes,
            mistake => Assert.StartsWith("app.toml:1: name is 'two words'", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:2: owns has a pattern", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:3: ports has '80'", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:6: settings.format is 'apach'", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:9: severities.severity is 'loud'", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:10: severities.severity must be given", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:14: checks.command must begin with the absolute path", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:16: checks.name is 'http', as another", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:19: checks.timeout is 9s", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:20: checks.name must be given", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:20: checks.command must be given", mistake, StringComparison.Ordinal),
            mistake => Assert.StartsWith("app.toml:21: there is no setting checks.comand; did you mean checks.command?", mistake, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("checks = [\"/bin/true\"]", "checks must be tables")]
    [InlineData("checks = [{ name = \"x\" }]", "checks must be tables")]
    [InlineData("[checks]\nname = \"x\"", "checks")]
    [InlineData("ports = \"tcp/80\"", "ports must be a list of texts")]
    [InlineData("version = \"1 2\"", "version is '1 2'")]
    [InlineData("owner = \"\\u001b[31m\"", "owner is '\\x1b[31m'")]
    [InlineData("[[checks]]\nname = \"x\"\ncommand = [\"/bin/sh\"]\ninterval = \"0s\"", "interval must be a duration")]
    public void Parse_OfAnotherShape_IsRefused(string text, string mistake) =>
        Assert.Contains(mistake, Assert.Throws<ConfigurationException>(() => LayerFile.Parse(text, "app.toml")).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_MoreChecksThanAMachineBears_IsRefused()
    {
        var text = string.Concat(Enumerable.Range(0, 101).Select(i => $"[[checks]]\nname = \"c{i}\"\ncommand = [\"/bin/true\"]\n"));

        Assert.Contains("100 is the limit", Assert.Throws<ConfigurationException>(() => LayerFile.Parse(text, "app.toml")).Message, StringComparison.Ordinal);
    }
}
