using Telemetry.Agent.Spool;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Spool;

public sealed class SpoolRetryTests
{
    [Fact]
    public void Append_DirectoryIsMendedAndTheClockSetBack_WritesWhatWasInMemory()
    {
        using var spools = new Spools();
        using var folder = new TemporaryDirectory();
        var clock = new SetClock(spools.Clock);
        folder.Write("state", "no directory");
        var lane = new SpoolDirectory(folder["state"], new SpoolOptions { Bytes = 64 << 20, FreeShare = 1 }, clock, spools.Log).Changes;
        lane.Add(spools, "early");
        Assert.NotNull(lane.Status().Failure);
        File.Delete(folder["state"]);

        clock.Ahead = TimeSpan.FromHours(-1);
        spools.Clock.Advance(TimeSpan.FromSeconds(10));
        lane.Add(spools, "late");

        Assert.Null(lane.Status().Failure);
        Assert.Equal(["early", "late"], lane.Texts());
    }
}
