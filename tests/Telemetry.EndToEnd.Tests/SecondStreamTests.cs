using System.Text.Json;
using Grpc.Core;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A machine that was started from the copied disk of a running one.</summary>
public sealed class SecondStreamTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Copy_OfARunningInstance_IsRefusedAndShown()
    {
        File.WriteAllText(_installation.Watched + "/conf", "a");
        var id = await _installation.StartCertified();

        var refusal = await Assert.ThrowsAsync<RpcException>(() => WireAgent.Connect(_installation.AgentsServer, id));

        Assert.Equal(StatusCode.AlreadyExists, refusal.StatusCode);
        Assert.Contains("Delete the agent's state directory here", refusal.Status.Detail, StringComparison.Ordinal);
        var instance = await _installation.Succeed("instances", "show", id);
        Assert.Equal("connected", instance.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.String, instance.GetProperty("contested_at").ValueKind);
        Assert.Contains("a disk was cloned", (await _installation.Ctl("instances", "show", id, "--output", "table")).Output, StringComparison.Ordinal);

        // The one that was there first did not notice.
        File.WriteAllText(_installation.Watched + "/conf", "b");
        await _installation.Open($"changed {_installation.Watched}/conf");
        Assert.Single(_installation.Agent.Log.Split('\n'), line => line.Contains("Connected to the collector", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Instance_WhoseEarlierStreamNobodyAnswersOn_TakesOver()
    {
        await _installation.StartCollector();
        await using var gone = await WireAgent.Connect(_installation.AgentsServer, "i-1");

        await using var back = await WireAgent.Connect(_installation.AgentsServer, "i-1");

        Assert.Equal(StatusCode.Cancelled, (await gone.Ended()).StatusCode);
        back.Change("/conf", "a");
        await back.Report();
    }
}
