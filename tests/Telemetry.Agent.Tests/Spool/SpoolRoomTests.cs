using Telemetry.Agent.Spool;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Spool;

public sealed class SpoolRoomTests : IDisposable
{
    private const int Limit = 400_000;

    private readonly Spools _spools = new();

    public void Dispose() => _spools.Dispose();

    [Fact]
    public void Append_Full_DropsTheOldestAndTellsItWithTheNext()
    {
        var lane = _spools.Open(Limit).Health;
        for (var i = 0; i < 100; i++)
        {
            Fill(lane, 10_000, units: 2);
            Assert.InRange(_spools.Files().Sum(file => new FileInfo(file).Length), 1, Limit);
        }

        var kept = lane.All();
        Assert.InRange(kept.Count, 25, 40);
        Assert.Equal(200, kept.Sum(record => (long)record.Units) + Lost(kept));
        Assert.Equal(200 - (2 * kept.Count), lane.Dropped);
        Assert.All(kept.SelectMany(record => record.Losses), loss => Assert.Equal(LossCause.Full, loss.Cause));
    }

    [Fact]
    public void Append_AcknowledgedThatGiveWay_AreNoLoss()
    {
        var lane = _spools.Open(Limit).Health;
        for (var i = 0; i < 100; i++)
        {
            Fill(lane, 10_000);
            lane.Acked(lane.Last);
        }

        Assert.Equal((0, 0), (lane.Dropped, lane.Status().Records));
        Assert.InRange(_spools.Files().Sum(file => new FileInfo(file).Length), 1, 150_000);
    }

    [Fact]
    public void Append_ChangesThatNeedRoom_TakeItFromMetricsFirst()
    {
        var spool = _spools.Open(Limit);
        for (var i = 0; i < 35; i++)
            Fill(spool.Health, 10_000);
        for (var i = 0; i < 35; i++)
            Fill(spool.Changes, 10_000);

        Assert.Equal(35, spool.Changes.All().Count);
        Assert.Equal(0, spool.Changes.Dropped);
        Assert.True(Size() <= Limit, $"{Size()} bytes");

        // Told, though the agent is killed before the next sample.
        Assert.Equal(35, _spools.Open(Limit).Health.All().Sum(record => (long)record.Units) + Lost(spool.Health.All()));

        for (var i = 0; i < 35; i++)
            Fill(spool.Changes, 10_000);
        Assert.InRange(spool.Changes.Dropped, 30, 45);
        Assert.True(Size() <= Limit, $"{Size()} bytes");
    }

    [Fact]
    public void Append_MetricsThatNeedRoom_TakeNoneFromChanges()
    {
        var spool = _spools.Open(Limit);
        for (var i = 0; i < 38; i++)
            Fill(spool.Changes, 10_000);
        for (var i = 0; i < 50; i++)
            Fill(spool.Health, 10_000);

        Assert.Equal(38, spool.Changes.All().Count);
        Assert.Equal(0, spool.Changes.Dropped);
        Assert.Equal(50, spool.Health.All().Sum(record => (long)record.Units) + Lost(spool.Health.All()));
    }

    [Fact]
    public void Append_NoDirectoryCanBeMade_KeepsAnHourInMemoryAndSaysSoOnce()
    {
        using var spool = new SpoolDirectory("/proc/no/such", new SpoolOptions { Bytes = Limit, FreeShare = 1 }, _spools.Clock, _spools.Log);
        for (var i = 0; i < 400; i++)
            Fill(spool.Health, 100);

        var kept = spool.Health.All();
        Assert.Equal(360, kept.Count);
        Assert.Equal(400, kept.Count + Lost(kept));
        Assert.Equal(40, spool.Health.Dropped);
        Assert.NotNull(spool.Health.Status().Failure);
        Assert.Single(_spools.Log.Lines);

        spool.Health.Acked(kept[200].Position);
        Assert.Equal(159, spool.Health.Status().Records);
    }

    [Fact]
    public void Append_LargeChangesWithoutADisk_StayBelowFourMegabytes()
    {
        using var spool = new SpoolDirectory("/proc/no/such", new SpoolOptions { Bytes = Limit, FreeShare = 1 }, _spools.Clock, _spools.Log);
        for (var i = 0; i < 100; i++)
            Fill(spool.Changes, 100_000);

        Assert.InRange(spool.Changes.Status().Bytes, 3_900_000, 4 << 20);
        Assert.Equal(100, spool.Changes.All().Count + spool.Changes.Dropped);
    }

    [Fact]
    public void Append_DiskFullOfOtherThings_GoesOnInMemoryAndReturns()
    {
        using var disk = new SmallDisk(_spools.State, "1m");
        var lane = _spools.Open().Health;
        lane.Add(_spools, "a");
        Shell.Run(_spools.State, "dd if=/dev/zero of=filler bs=4k 2>/dev/null || true");
        for (var i = 0; i < 10; i++)
            Fill(lane, 1000);
        var status = lane.Status();

        File.Delete(_spools.State + "/filler");
        lane.Add(_spools, "b");
        var tooEarly = lane.Status().Failure;
        _spools.Clock.Advance(TimeSpan.FromSeconds(10));
        lane.Add(_spools, "c");

        Assert.Contains("No space left", status.Failure, StringComparison.Ordinal);
        Assert.Equal((11, 0), (status.Records, status.Dropped));
        Assert.NotNull(tooEarly);
        Assert.Null(lane.Status().Failure);
        Assert.Equal(2, _spools.Log.Lines.Count);
        var read = _spools.Open().Health.All();
        Assert.Equal(Enumerable.Range(1, 13).Select(i => (ulong)i), read.Select(record => record.Position.Sequence));
        Assert.Empty(read.SelectMany(record => record.Losses));
    }

    [Fact]
    public void Append_ReadOnlyDisk_ReadsWhatIsThereAndGoesOnInMemory()
    {
        using var disk = new SmallDisk(_spools.State, "1m");
        using (var earlier = _spools.Open())
            earlier.Health.Add(_spools, "a");
        Shell.Run("/", $"mount -o remount,ro '{_spools.State}'");

        using var spool = _spools.Open();
        spool.Health.Add(_spools, "b");
        Assert.Equal(["a", "b"], spool.Health.Texts());
        Assert.Contains("Read-only", spool.Health.Status().Failure, StringComparison.Ordinal);

        Shell.Run("/", $"mount -o remount,rw '{_spools.State}'");
        _spools.Clock.Advance(TimeSpan.FromMinutes(1));
        spool.Health.Add(_spools, "c");

        Assert.Null(spool.Health.Status().Failure);
        Assert.Equal(["a", "b", "c"], _spools.Open().Health.Texts());
    }

    [Fact]
    public void Append_LittleFreeSpace_TakesNoMoreThanItsShare()
    {
        using var disk = new SmallDisk(_spools.State, "8m");
        var lane = _spools.Open(share: 0.1).Health;
        for (var i = 0; i < 200; i++)
            Fill(lane, 10_000);

        Assert.InRange(Size(), 600_000, 840_000);
        Assert.Equal(200, lane.All().Count + Lost(lane.All()));
    }

    private long Size() => Directory.GetFiles(_spools.State + "/spool", "*.spool", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

    private void Fill(SpoolLane lane, int length, int units = 1) => lane.Append(_spools.Clock.GetUtcNow(), units, new byte[length]);

    private static long Lost(IEnumerable<SpoolRecord> records) => records.SelectMany(record => record.Losses).Sum(loss => (long)loss.Units);

    private sealed class SmallDisk : IDisposable
    {
        private readonly string _path;

        public SmallDisk(string path, string size)
        {
            Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting needs root");
            _path = path;
            Shell.Run("/", $"mount -t tmpfs -o size={size} tmpfs '{path}'");
        }

        // Lazily: a killed agent's files are still open in this process.
        public void Dispose() => Shell.Run("/", $"umount -l '{_path}'");
    }
}
