using Telemetry.Agent.Spool;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Spool;

public sealed class SpoolLaneTests : IDisposable
{
    private readonly Spools _spools = new();

    public void Dispose() => _spools.Dispose();

    [Fact]
    public void Directory_ThatWasTakenAway_IsMadePrivateAgain()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a");
        Directory.Delete(_spools.State, recursive: true);

        lane.Add(_spools, "b");

        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.NotEmpty(_spools.Files());
        Assert.All([_spools.State, Path.Combine(_spools.State, "spool"), _spools.Health], made => Assert.Equal(OwnerOnly, File.GetUnixFileMode(made)));
    }

    [Fact]
    public void Read_AfterAKill_GivesWhatWasAddedInOrder()
    {
        _spools.Open().Health.Add(_spools, "a", "b");
        _spools.Open().Health.Add(_spools, "c");

        var records = _spools.Open().Health.All();

        Assert.Equal(["a", "b", "c"], records.Select(record => System.Text.Encoding.UTF8.GetString(record.Payload)));
        Assert.Equal(records.Select(record => record.Position).Order(), records.Select(record => record.Position));
        Assert.Equal([(1u, 1u), (2u, 2u), (1u, 1u)], records.Select(record => (record.Position.Sequence, record.Collected)));
    }

    [Fact]
    public void Read_AfterWhatWasRead_GoesOn()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a");
        var cursor = default(SpoolCursor);
        lane.Read(ref cursor);
        Assert.Null(lane.Read(ref cursor));

        lane.Add(_spools, "b");
        _spools.Clock.Advance(TimeSpan.FromHours(1));
        lane.Add(_spools, "c");

        Assert.Equal("b"u8, lane.Read(ref cursor)!.Payload);
        Assert.Equal("c"u8, lane.Read(ref cursor)!.Payload);
        Assert.Null(lane.Read(ref cursor));
    }

    [Fact]
    public void Open_AllIsAcknowledgedAndTheClockWentBack_CountsAnewInAHigherEpoch()
    {
        var lane = _spools.Open().Health;
        lane.Renumber(lane.Last.Epoch + 100_000);
        lane.Add(_spools, "a", "b");
        var last = lane.Last;
        lane.Acked(last);
        Assert.Empty(lane.All());

        var restarted = _spools.Open().Health;
        restarted.Add(_spools, "c");

        Assert.Equal(new HeadPosition(last.Epoch + 1, 1), restarted.Last);
        Assert.Equal(1u, restarted.All()[^1].Collected);
    }

    /// <summary>As when the disk was full, or the machine lost its power.</summary>
    [Fact]
    public void Acked_WhatWasSentAndIsNotInTheFile_FreesNothingThatCameAfterTheRestart()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a");
        var file = Assert.Single(_spools.Files());
        var kept = File.ReadAllBytes(file);
        lane.Add(_spools, "b", "c");
        var acknowledged = lane.Last;
        File.WriteAllBytes(file, kept);

        var restarted = _spools.Open().Health;
        restarted.Add(_spools, "d", "e");
        var isBehind = restarted.IsBehind(acknowledged);
        restarted.Acked(acknowledged);

        Assert.False(isBehind);
        Assert.Equal(["d", "e"], restarted.Texts());
    }

    [Fact]
    public void Renumber_KilledInBetween_HasEachOnce()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a", "b");
        var file = Assert.Single(_spools.Files());
        var before = File.ReadAllBytes(file);

        lane.Renumber(lane.Last.Epoch + 1000);
        var renumbered = Assert.Single(_spools.Files());
        File.WriteAllBytes(renumbered, File.ReadAllBytes(renumbered)[..(Segment.HeaderLength + RecordFormat.HeaderLength + 1)]);
        File.WriteAllBytes(file, before);

        Assert.Equal(["a", "b"], _spools.Open().Health.Texts().Order());
    }

    [Fact]
    public void Acked_WholeSegments_FreesThem()
    {
        var lane = _spools.Open().Health;
        for (var hour = 0; hour < 5; hour++)
        {
            lane.Add(_spools, $"a{hour}", $"b{hour}");
            _spools.Clock.Advance(TimeSpan.FromHours(1));
        }

        lane.Acked(lane.PositionOf("a3"));

        Assert.Equal(["b3", "a4", "b4"], lane.Texts());
        Assert.Equal(2, _spools.Files().Count);
        Assert.Equal(3, lane.Status().Records);
    }

    [Fact]
    public void Acked_BeforeTheNextRecord_IsRememberedWithIt()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a", "b");
        lane.Acked(lane.PositionOf("a"));
        lane.Add(_spools, "c");

        Assert.Equal(["b", "c"], _spools.Open().Health.Texts());
    }

    [Fact]
    public void Acked_APositionThatIsNotOurs_FreesNothing()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a");

        lane.Acked(lane.Last with { Epoch = lane.Last.Epoch + 1 });
        lane.Acked(lane.Last with { Sequence = 7 });

        Assert.Equal(["a"], lane.Texts());
    }

    [Fact]
    public void Append_ClockThatWentBackAnHour_CountsAnewInAHigherEpoch()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a");
        lane.Append(_spools.Clock.GetUtcNow() - TimeSpan.FromHours(2), 1, "b"u8.ToArray());

        var records = lane.All();

        Assert.True(records[1].Position.Epoch > records[0].Position.Epoch);
        Assert.Equal((1u, 1u), (records[1].Position.Sequence, records[1].Collected));
    }

    [Fact]
    public void Collected_CountsWithinTheHour()
    {
        var lane = _spools.Open().Health;
        lane.Append(_spools.Clock.GetUtcNow(), 3, "a"u8.ToArray());
        lane.Append(_spools.Clock.GetUtcNow(), 4, "b"u8.ToArray());
        _spools.Clock.Advance(TimeSpan.FromHours(1));
        lane.Append(_spools.Clock.GetUtcNow(), 5, "c"u8.ToArray());

        Assert.Equal([3u, 7u, 5u], lane.All().Select(record => record.Collected));
    }

    [Fact]
    public void Renumber_WhatWaits_IsCountedAnewInAHigherEpoch()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a", "b", "c");
        lane.Acked(lane.PositionOf("a"));
        var above = lane.Last.Epoch + 1000;

        lane.Renumber(above);

        var records = _spools.Open().Health.All();
        Assert.Equal(["b", "c"], lane.Texts());
        Assert.Equal([(above + 1, 1u, 1u), (above + 1, 2u, 2u)], records.Select(record => (record.Position.Epoch, record.Position.Sequence, record.Collected)));
        Assert.Empty(records.SelectMany(record => record.Losses));
    }

    [Fact]
    public void Discard_WhatWaits_IsToldAsNotWantedWithTheNext()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a", "b", "c");
        lane.Acked(lane.PositionOf("a"));

        lane.Discard();
        lane.Add(_spools, "d");

        var told = Assert.Single(lane.All());
        Assert.Equal(new SpoolLoss(told.Hour, LossCause.NotWanted, 2), Assert.Single(told.Losses));
        Assert.Equal(4u, told.Collected);
    }

    [Fact]
    public void IsBehind_ForeignOrLaterPositions_SaysSo()
    {
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a");
        var first = lane.Last;
        Assert.False(lane.IsBehind(default));
        Assert.False(lane.IsBehind(first));
        Assert.True(lane.IsBehind(first with { Sequence = 2 }));

        lane.Append(_spools.Clock.GetUtcNow() - TimeSpan.FromHours(1), 1, "b"u8.ToArray());
        lane.Append(_spools.Clock.GetUtcNow() - TimeSpan.FromHours(2), 1, "c"u8.ToArray());
        Assert.False(lane.IsBehind(first with { Epoch = first.Epoch + 1 }));
    }

    [Fact]
    public void Status_TellsWhatWaits()
    {
        var spool = _spools.Open();
        var began = _spools.Clock.GetUtcNow();
        spool.Health.Add(_spools, "a");
        _spools.Clock.Advance(TimeSpan.FromMinutes(1));
        spool.Health.Add(_spools, "b");

        var status = spool.Status();

        Assert.Equal(["changes", "checks", "health"], status.Select(lane => lane.Name));
        Assert.Equal((2, began, null), (status[2].Records, status[2].Oldest, status[2].Failure));
        Assert.Equal((0, null), (status[0].Records, status[0].Oldest));
        Assert.Equal(new FileInfo(Assert.Single(_spools.Files())).Length, status[2].Bytes);
    }
}
