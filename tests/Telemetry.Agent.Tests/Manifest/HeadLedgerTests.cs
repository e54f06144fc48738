using Telemetry.Agent.Manifest;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Manifest;

public sealed class HeadLedgerTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Saw_TheSameAgain_KeepsTheHeadAndMovesTheLook()
    {
        var ledger = new HeadLedger(7).Saw(Sighting(1, minute: 0)).Saw(Sighting(1, minute: 1));

        Assert.Equal(new HeadPosition(7, 1), ledger.Head!.Position);
        Assert.Equal(At(1), ledger.LookStartedAt);
    }

    [Fact]
    public void Saw_Change_IsDatedFromTheBeginOfTheLastLookThatDidNotSeeIt()
    {
        var ledger = new HeadLedger(7).Saw(Sighting(1, minute: 0)).Saw(Sighting(1, minute: 1)).Saw(Sighting(2, minute: 2));

        Assert.Equal(new HeadPosition(7, 2), ledger.Head!.Position);
        Assert.Equal(At(1), ledger.Head.ObservedAfter);
    }

    [Fact]
    public void Announce_HeadsCoalesced_DateFromTheAcknowledgedOne()
    {
        var ledger = new HeadLedger(7).Saw(Sighting(1, minute: 0));
        (ledger, _) = ledger.Announce();
        ledger = ledger.Acked(new HeadPosition(7, 1)).Saw(Sighting(2, minute: 1)).Saw(Sighting(3, minute: 2)).Saw(Sighting(4, minute: 3));

        var (_, announcement) = ledger.Announce();

        Assert.Equal(new HeadPosition(7, 4), announcement.Head.Position);
        Assert.Equal(At(0), announcement.ObservedAfter);
        Assert.Equal(1, announcement.KnownGeneration);
    }

    [Fact]
    public void Acked_WhileTheNextHeadIsThere_DatesThatFromTheAcknowledgedOne()
    {
        var ledger = new HeadLedger(7).Saw(Sighting(1, minute: 0));
        (ledger, _) = ledger.Announce();
        ledger = ledger.Saw(Sighting(2, minute: 1)).Saw(Sighting(3, minute: 2)).Acked(new HeadPosition(7, 1));

        Assert.False(ledger.IsAcknowledged);
        Assert.Equal(At(0), ledger.Announce().Announcement.ObservedAfter);
    }

    [Fact]
    public void Met_CollectorWithoutHead_AnnouncesAFirstHead()
    {
        var ledger = new HeadLedger(7).Saw(Sighting(1, minute: 0)).Saw(Sighting(2, minute: 1)).Met(default, null, now: 9);

        Assert.False(ledger.IsAcknowledged);
        var announcement = ledger.Announce().Announcement;
        Assert.Null(announcement.ObservedAfter);
        Assert.Null(announcement.KnownGeneration);
    }

    [Fact]
    public void Met_CollectorWithTheCurrentHead_HasNothingToTell()
    {
        var ledger = new HeadLedger(7).Saw(Sighting(1, minute: 0));

        Assert.True(ledger.Met(ledger.Position, ledger.Head!.Roots, now: 9).IsAcknowledged);
    }

    [Fact]
    public void Met_AckLostOnTheWay_IsMadeUpFor()
    {
        var ledger = new HeadLedger(7).Saw(Sighting(1, minute: 0));
        (ledger, _) = ledger.Announce();
        ledger = ledger.Withdrawn().Saw(Sighting(2, minute: 1)).Met(new HeadPosition(7, 1), RootsOf(1), now: 9);

        var announcement = ledger.Announce().Announcement;

        Assert.Equal(1, announcement.KnownGeneration);
        Assert.Equal(At(0), announcement.ObservedAfter);
    }

    [Theory]
    [InlineData(8, 1)]
    [InlineData(7, 2)]
    [InlineData(7, 1)]
    public void Met_CollectorAheadOrWithAnotherHead_DrawsAHigherEpoch(ulong epoch, ulong sequence)
    {
        var ledger = new HeadLedger(7).Saw(Sighting(1, minute: 0)).Met(new HeadPosition(epoch, sequence), RootsOf(9), now: 3);

        Assert.True(ledger.Epoch > epoch);
        Assert.Equal(new HeadPosition(ledger.Epoch, 1), ledger.Head!.Position);
        Assert.False(ledger.IsAcknowledged);
    }

    private static DateTimeOffset At(int minute) => Start + TimeSpan.FromMinutes(minute);

    private static Roots RootsOf(byte content) => Roots.Empty.With(EntryKind.File, Digest.Of([content]));

    private static Sighting Sighting(byte content, int minute) =>
        new(RootsOf(content), Coverage.Nothing, At(minute), At(minute) + TimeSpan.FromSeconds(5), 1);
}
