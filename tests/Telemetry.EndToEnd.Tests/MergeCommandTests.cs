namespace Telemetry.EndToEnd.Tests;

/// <summary>What people are told when layers are in conflict, and when they settle that.</summary>
public sealed class MergeCommandTests : IAsyncLifetime
{
    private readonly Installation _installation = new();

    public async ValueTask InitializeAsync()
    {
        await _installation.StartCollector();
        foreach (var (id, motd) in (IEnumerable<(string, string)>)[("base", "welcome"), ("web", "web"), ("cache", "cache")])
        {
            await using var agent = await WireAgent.Connect(_installation.AgentsServer, id);
            agent.Change("/etc/motd", motd);
            await agent.Report();
            if (id == "base")
                await _installation.Succeed("baselines", "capture", "base:1", "--instance", id);
            else
                await _installation.Succeed("layers", "create", $"{id}:1", "--owner", id + "-vendor", "--from", "base:1", "--to", id);
        }
    }

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Merge_InConflict_SaysWhatSettlesIt_AndWhatThatDid()
    {
        var refused = await Merge();
        var settled = await Merge("--resolve", "/etc/motd=web");

        Assert.Equal(1, refused.ExitCode);
        Assert.Equal("1 conflict. --resolve /etc/motd=web or =cache settles it, here and in 'baselines compose'; or change a layer. Compared by policy 'default'.", refused.Error.Trim());
        Assert.Equal((0, "[]"), (settled.ExitCode, settled.Output.Trim()));
        Assert.Equal("Settled /etc/motd: as web:1 has it, and not as cache:1.", settled.Error.Trim());
    }

    [Theory]
    [InlineData("/etc/modt=web", "What can be settled is /etc/motd.")]
    [InlineData("/etc/motd=somebody", "write --resolve /etc/motd=web or =cache.")]
    public async Task Resolution_ThatSettlesNothing_IsRefusedWhileThereAreConflicts(string resolution, string said)
    {
        var merge = await Merge("--resolve", resolution);
        var compose = await _installation.Ctl("baselines", "compose", "kit:1", "--base", "base:1", "--layer", "web:1", "--layer", "cache:1", "--resolve", resolution);

        Assert.Equal((1, ""), (merge.ExitCode, merge.Output));
        Assert.EndsWith(said + " Compared by policy 'default'.", merge.Error.Trim(), StringComparison.Ordinal);
        Assert.EndsWith(said + " Compared by policy 'default'.", compose.Error.Trim(), StringComparison.Ordinal);
        Assert.Equal(1, compose.ExitCode);
    }

    [Fact]
    public async Task Compose_OfWhatIsSettled_SaysWhatTheResolutionDid()
    {
        var composed = await _installation.Ctl("baselines", "compose", "kit:1", "--base", "base:1", "--layer", "web:1", "--layer", "cache:1", "--resolve", "/etc/motd=cache");

        Assert.Equal((0, "Settled /etc/motd: as cache:1 has it, and not as web:1."), (composed.ExitCode, composed.Error.Trim()));
    }

    private Task<Testing.Finished> Merge(params string[] arguments) => _installation.Ctl(["layers", "merge", "base:1", "web:1", "cache:1", .. arguments]);
}
