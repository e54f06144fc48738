using Telemetry.Agent.Tests.Settings;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Cli;

public sealed class ExitCodeTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public ExitCodeTests()
    {
        _folder.Write("root/a", "a");
        _folder.Write("broken.manifest", "a");
        _folder.Write("policy.toml", "name = \"a\"\ninclude = [\"/a\", \"/none\"]\n");
        _folder.Write("deep.toml", "name = \"a\"\nx = " + new string('[', 1000));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("diff none.manifest none.manifest", 2)]
    [InlineData("diff broken.manifest broken.manifest", 2)]
    [InlineData("diff root root", 2)]
    [InlineData("verify --root root", 2)]
    [InlineData("verify --root none", 2)]
    [InlineData("scan --root none --out x.manifest", 2)]
    [InlineData("scan --root root --out x.manifest --policy deep.toml", 78)]
    [InlineData("scan --root root --out x.manifest --policy policy.toml", 0)]
    public void Command_ThatFails_SaysSoByAnotherCodeThanAnAnswer(string arguments, int code)
    {
        Assert.Equal(code, Run(arguments).Code);
    }

    [Fact]
    public void Scan_ByAPolicyThatIncludesWhatIsNotThere_SaysSo()
    {
        var output = Run("scan --root root --out x.manifest --policy policy.toml").Output;

        Assert.Contains("Not there: /none", output);
        Assert.DoesNotContain("Not there: /a", output);
    }

    [Fact]
    public void Argument_ThatBeginsWithAnAt_IsNoFileOfArguments()
    {
        _folder.Write("arguments", "--help");

        Assert.Contains("@arguments", Run("show @arguments").Output, StringComparison.Ordinal);
    }

    private (int Code, string Output) Run(string arguments)
    {
        var (code, output, error) = Shell.TryRun(_folder.Path, SettingScans.Agent, arguments.Split(' '));
        return (code, output + error);
    }
}
