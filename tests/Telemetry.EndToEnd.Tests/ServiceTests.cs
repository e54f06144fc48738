using System.Net.Sockets;
using System.Text;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>How the programs behave as services: what systemd is told, and how they end.</summary>
public sealed class ServiceTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Sigterm_EndsBothWithZeroAndALineThatSaysSo()
    {
        await _installation.StartCertified();

        Assert.Equal(0, await _installation.Agent.Stop());
        Assert.Equal(0, await _installation.Collector.Stop());

        Assert.Contains("The agent stops", _installation.Agent.Log, StringComparison.Ordinal);
        Assert.Contains("The collector stops", _installation.Collector.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondOne_OnADirectoryInUse_ExitsSoThatSystemdTriesAgain()
    {
        await _installation.StartCollector();
        await _installation.StartAgent();
        await _installation.FirstHead();

        var agent = await Finished.Run(Programs.Agent, "run", "--config", _installation["agent.toml"]);
        var collector = await Finished.Run(Programs.Collector, "serve", "--config", _installation["collector.toml"]);

        Assert.Equal((1, 1), (agent.ExitCode, collector.ExitCode));
        Assert.StartsWith("Another agent is running", agent.Error, StringComparison.Ordinal);
        Assert.StartsWith("Another collector runs", collector.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agent")]
    [InlineData("collector")]
    public async Task WrongConfiguration_Exits78AndNamesEveryMistake(string which)
    {
        await File.WriteAllTextAsync(_installation["wrong.toml"], "nonsense = 1\n[more]\nnonsense = 2\n", Cancellation);
        var (program, verb) = which == "agent" ? (Programs.Agent, "run") : (Programs.Collector, "serve");

        var finished = await Finished.Run(program, verb, "--config", _installation["wrong.toml"]);

        Assert.Equal(78, finished.ExitCode);
        Assert.Contains("wrong.toml:1", finished.Error, StringComparison.Ordinal);
        Assert.Contains("more", finished.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckConfig_OfTheShippedExample_IsContent()
    {
        var finished = await Finished.Run(Programs.Agent, "check-config", "--config", Path.Combine(Programs.Repository, "deploy/agent.toml"));

        Assert.True(finished.ExitCode == 0, finished.Error);
    }

    [Theory]
    [InlineData("agent", "WATCHDOG=1")]
    [InlineData("collector", "READY=1")]
    public async Task Systemd_IsToldThatTheServiceIsReadyAndMoves(string which, string awaited)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_installation["notify"]));
        await _installation.StartCollector();
        await _installation.StartAgent();
        var (program, verb, config) = which == "agent"
            ? (Programs.Agent, "run", _installation["agent.toml"])
            : (Programs.Collector, "serve", _installation["collector.toml"]);
        await (which == "agent" ? _installation.Agent : _installation.Collector).Stop();

        // The programs look whether their parent is called systemd.
        File.Copy("/bin/sh", _installation["systemd"]);
        await using var service = RunningProgram.Start(
            _installation["systemd"],
            ["-c", """trap 'kill $pid' TERM; "$0" "$@" & pid=$!; wait $pid; wait $pid""", program, verb, "--config", config],
            new Dictionary<string, string> { ["NOTIFY_SOCKET"] = _installation["notify"], ["WATCHDOG_USEC"] = "2000000" });

        var buffer = new byte[4096];
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        var told = new HashSet<string>(StringComparer.Ordinal);
        while (!told.Contains("READY=1") || !told.Contains(awaited))
            told.UnionWith(Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, deadline.Token)).Split('\n'));

        Assert.Equal(0, await service.Stop());
    }
}
