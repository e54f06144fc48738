using Telemetry.Collector.Ingest;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class ConnectedAgentsTests
{
    [Fact]
    public void ReturnAfter_OfManyAgents_SpreadsThem()
    {
        var agents = new ConnectedAgents();
        Assert.Equal(TimeSpan.FromSeconds(1), agents.ReturnAfter(1));

        for (var i = 0; i < 1_000; i++)
            agents.Enter($"i-{i}", Some.Time);

        Assert.Equal(TimeSpan.Zero, agents.ReturnAfter(0));
        Assert.Equal(TimeSpan.FromSeconds(3), agents.ReturnAfter(0.5));
        Assert.Equal(TimeSpan.FromSeconds(6), agents.ReturnAfter(1));
    }

    [Fact]
    public void Drain_TellsWhoeverWaits()
    {
        var agents = new ConnectedAgents();
        Assert.False(agents.Draining.IsCompleted);

        agents.Drain();

        Assert.True(agents.Draining.IsCompleted);
    }
}
