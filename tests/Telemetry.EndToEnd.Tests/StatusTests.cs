using System.Globalization;
using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary><c>telemetry-agent status</c> tells how the running agent is, and says so when there is none.</summary>
public sealed class StatusTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Socket => _installation["agent/agent.sock"];

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task ConnectedAgent_TellsWhatTheCollectorHas()
    {
        await _installation.StartCertified();

        // Another head may come between the two questions.
        var (status, instance, head) = (default(JsonElement), default(JsonElement), default(JsonElement));
        await Eventually.True(
            async () =>
            {
                status = await Acknowledged();
                instance = (await _installation.Succeed("instances", "list")).EnumerateArray().Single();
                head = instance.GetProperty("head");
                return head.GetProperty("sequence").GetUInt64() == status.GetProperty("head").GetProperty("sequence").GetUInt64();
            },
            "both to tell of one head", Cancellation, _installation.Logs);

        Assert.Equal("connected", status.GetProperty("connection").GetProperty("state").GetString());
        Assert.Equal(_installation.AgentsServer, status.GetProperty("connection").GetProperty("collector").GetString());
        Assert.Equal(instance.GetProperty("id").GetString(), status.GetProperty("instance").GetString());
        Assert.Equal(_installation.Agent.ProcessId, status.GetProperty("pid").GetInt32());
        Assert.True(JsonElement.DeepEquals(head.GetProperty("roots"), status.GetProperty("head").GetProperty("roots")));
        Assert.True(JsonElement.DeepEquals(head.GetProperty("coverage").GetProperty("watched"), status.GetProperty("coverage").GetProperty("watched")));
    }

    [Fact]
    public async Task Entries_AreThoseOfAScan()
    {
        Shell.Run(_installation.Watched, "seq 500 | xargs touch; mkdir d; ln -s x l");
        await _installation.StartCertified();

        var status = await Acknowledged();

        Assert.Equal(503, status.GetProperty("head").GetProperty("entries").GetProperty("file").GetInt64());
        Assert.Equal(0, status.GetProperty("losses").GetProperty("count").GetInt64());
        Assert.InRange(status.GetProperty("memory").GetProperty("resident").GetInt64(), 1_000_000, 200_000_000);
    }

    [Fact]
    public async Task Filesystem_IsToldHowItIsWatched()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        await _installation.StartCertified();

        var watched = (await Acknowledged()).GetProperty("coverage").GetProperty("watched").EnumerateArray().ToList();

        var part = Assert.Single(watched);
        Assert.Equal("fanotify", part.GetProperty("method").GetString());
        Assert.StartsWith(part.GetProperty("path").GetString()!, _installation.Watched, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CollectorIsAway_IsToldWithItsReason()
    {
        await _installation.StartCertified();

        await _installation.Collector.Stop();

        var connection = await Eventually.Get(
            async () => await Ask() is { ExitCode: 0 } finished
                && JsonDocument.Parse(finished.Output).RootElement.GetProperty("connection") is var connection
                && connection.GetProperty("state").GetString() == "disconnected" ? (object)connection : null,
            "the agent to say that it is not connected",
            Cancellation);
        Assert.NotEqual("", ((JsonElement)connection).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Socket_IsItsOwnersAlone()
    {
        await _installation.StartCertified();
        await Acknowledged();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
    }

    [Fact]
    public async Task KilledAgent_LeavesNoSocketThatIsInTheWay()
    {
        await _installation.StartCertified();
        await Acknowledged();
        await _installation.Agent.Kill();
        Assert.Equal(69, (await Ask()).ExitCode);

        await _installation.StartAgent();

        Assert.Equal(_installation.Agent.ProcessId, (await Acknowledged()).GetProperty("pid").GetInt32());
        Assert.Equal(0, await _installation.Agent.Stop());
        Assert.False(File.Exists(Socket));
    }

    [Fact]
    public async Task NoAgent_Exits69WithTheRemedy()
    {
        await _installation.StartCertified();
        await _installation.Agent.Stop();

        var finished = await Ask();

        Assert.Equal(69, finished.ExitCode);
        Assert.Contains("systemctl start", finished.Error, StringComparison.Ordinal);
        Assert.Single(finished.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task ClientThatSaysNothing_KeepsTheAgentFromNothing()
    {
        await _installation.StartCertified();
        await Acknowledged();
        using var silent = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        await silent.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(Socket), Cancellation);

        await Acknowledged();

        Assert.Equal(0, await _installation.Agent.Stop());
    }

    [Fact]
    public async Task Table_HasARowForEachFact()
    {
        await _installation.StartCertified();
        await Acknowledged();

        var finished = await Ask("--output", "table");

        Assert.Contains($"pid {_installation.Agent.ProcessId.ToString(CultureInfo.InvariantCulture)}", finished.Output, StringComparison.Ordinal);
        Assert.All(
            (string[])["agent", "instance", "collector", "last ack", "head", "file", "watched", "losses", "spool", "memory", "events"],
            row => Assert.Contains(finished.Lines, line => line.StartsWith(row + " ", StringComparison.Ordinal)));
    }

    private async Task<JsonElement> Acknowledged() => (JsonElement)await Eventually.Get(
        async () => await Ask() is { ExitCode: 0 } finished
            && JsonDocument.Parse(finished.Output).RootElement is var status
            && status.GetProperty("last_ack") is { ValueKind: JsonValueKind.Object } ack
            && ack.GetProperty("is_current").GetBoolean() ? (object)status : null,
        "an agent whose head is acknowledged",
        Cancellation,
        () => _installation.Agent.Log);

    private Task<Finished> Ask(params string[] arguments) =>
        Finished.Run(Programs.Agent, ["status", "--config", _installation["agent.toml"], .. arguments], environment: null);
}
