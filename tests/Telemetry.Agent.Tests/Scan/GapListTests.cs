using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Scan;

public sealed class GapListTests
{
    [Fact]
    public void Build_GapsBelowOthers_AreLeftOut()
    {
        var gaps = new GapList(EntryKind.File);
        gaps.Add(EntryKey.Of("a", "b"), "x");
        gaps.Add(EntryKey.Of("a"), "y");
        gaps.Add(EntryKey.Of("ab"), "z");

        Assert.Equal([EntryKey.Of("a"), EntryKey.Of("ab")], gaps.Build().Select(gap => gap.Prefix));
    }

    [Fact]
    public void Build_MoreThanTheLimit_BecomeFewerAndWider()
    {
        var gaps = new GapList(EntryKind.File, limit: 10);
        for (var i = 0; i < 100; i++)
            gaps.Add(EntryKey.Of("dir", $"sub{i % 5}", $"file{i}"), "x");

        var built = gaps.Build();

        Assert.Equal(5, built.Count);
        Assert.All(built, gap => Assert.True(gap.Prefix.IsUnder(EntryKey.Of("dir"))));
    }

    [Fact]
    public void Build_LongerThanAHeadMayBe_BecomeFewerAndWider()
    {
        var gaps = new GapList(EntryKind.File);
        for (var i = 0; i < 900; i++)
            gaps.Add(EntryKey.Of("dir", $"sub{i % 5}", new string('x', 4_000) + i), "x");

        Assert.Equal(5, gaps.Build().Count);
    }
}
