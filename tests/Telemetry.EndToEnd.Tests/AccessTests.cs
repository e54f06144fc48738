using System.Net;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Who is let in, and how a command ends that is not.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private readonly Installation _installation = new();

    public async ValueTask InitializeAsync() => await _installation.StartCollector();

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public void AdminToken_OfTheFirstStart_IsReadableByItsOwnerOnly() =>
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_installation.TokenFile));

    [Fact]
    public async Task Command_WithAWrongToken_Exits77AndSaysWhereTheRightOneIs()
    {
        var environment = new Dictionary<string, string> { ["TELEMETRY_TOKEN"] = "wrong", ["TELEMETRY_SERVER"] = _installation.Server };

        var finished = await Finished.Run(Programs.Ctl, ["instances", "list"], environment);

        Assert.Equal(77, finished.ExitCode);
        Assert.Contains("admin.token", finished.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", finished.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_WithoutACollector_Exits69()
    {
        await _installation.Collector.Stop();

        var finished = await _installation.Ctl("deviations", "list");

        Assert.Equal(69, finished.ExitCode);
        Assert.Contains("cannot be reached", finished.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "instances", "lst")]
    [InlineData(2, "deviations", "list", "--state", "opened")]
    [InlineData(2, "baselines", "bind", "shop")]
    [InlineData(2, "baselines", "capture", "noversion", "--instance", "i-1")]
    [InlineData(1, "instances", "show", "i-none")]
    [InlineData(1, "deviations", "show", "d-99")]
    [InlineData(1, "diff", "shop:1", "shop:2")]
    [InlineData(1, "baselines", "import", "shop:1", "/etc/passwd")]
    public async Task Command_ThatCannotBeDone_ExitsWithItsCodeAndOneSentence(int exitCode, params string[] arguments)
    {
        var finished = await _installation.Ctl(arguments);

        Assert.Equal(exitCode, finished.ExitCode);
        Assert.Equal("", finished.Output);
        Assert.DoesNotContain("   at ", finished.Error, StringComparison.Ordinal);
        Assert.InRange(finished.Error.Trim().Split('\n').Length, 1, 2);
    }

    [Theory]
    [InlineData("/healthz", HttpStatusCode.OK)]
    [InlineData("/", HttpStatusCode.Unauthorized)]
    [InlineData("/telemetry.v1.FleetService/ListInstances", HttpStatusCode.Unauthorized)]
    [InlineData("/telemetry.v1.AgentService/Connect", HttpStatusCode.NotFound)]
    public async Task OperatorsListener_WithoutAToken_ServesOnlyItsHealth(string path, HttpStatusCode status)
    {
        using var http = new HttpClient();
        using var content = new ByteArrayContent([0, 0, 0, 0, 0]);
        content.Headers.ContentType = new("application/grpc-web");

        using var response = path == "/healthz"
            ? await http.GetAsync(_installation.Server + path, TestContext.Current.CancellationToken)
            : await http.PostAsync(_installation.Server + path, content, TestContext.Current.CancellationToken);

        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task AgentsListener_WithTheAdminToken_DoesNotServeOperators()
    {
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var request = new HttpRequestMessage(HttpMethod.Post, _installation.AgentsServer + "/telemetry.v1.FleetService/ListInstances")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 0]),
        };
        request.Headers.Add("authorization", "Bearer " + (await File.ReadAllTextAsync(_installation.TokenFile, TestContext.Current.CancellationToken)).Trim());
        request.Headers.Host = new Uri(_installation.Server).Authority;
        request.Content.Headers.ContentType = new("application/grpc");

        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }
}
