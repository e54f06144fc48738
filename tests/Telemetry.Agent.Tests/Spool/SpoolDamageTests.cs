using FsCheck.Xunit;
using Telemetry.Agent.Spool;

namespace Telemetry.Agent.Tests.Spool;

public sealed class SpoolDamageTests : IDisposable
{
    private static readonly string[] Texts = ["a", "bb", "", "dddd", "eeeee"];

    private readonly Spools _spools = new();

    public void Dispose() => _spools.Dispose();

    [Fact]
    public void Open_NewestSegmentCutAnywhere_GivesThePrefixAndGoesOn()
    {
        var file = Written();
        var whole = File.ReadAllBytes(file);
        var ends = Ends(whole);
        for (var length = 0; length < whole.Length; length++)
        {
            Directory.Delete(_spools.Health, recursive: true);
            Directory.CreateDirectory(_spools.Health);
            File.WriteAllBytes(file, whole[..length]);
            var before = _spools.Log.Lines.Count;

            var lane = _spools.Open().Health;
            lane.Add(_spools, "more");

            var kept = ends.Count(end => end <= length);
            Assert.Equal([.. Texts.Take(kept), "more"], _spools.Open().Health.Texts());
            var isTorn = length > 0 && !ends.Contains(length);
            Assert.Equal(isTorn ? 1 : 0, _spools.Log.Lines.Count - before);
            Assert.Equal(1u, lane.Last.Sequence);

            // What the header of the torn one says is told, and counted as collected; shorter ones say nothing.
            var headerEnd = (kept == 0 ? Segment.HeaderLength : ends[kept - 1]) + RecordFormat.HeaderLength;
            var lost = isTorn && length >= headerEnd ? 1 : 0;
            var more = lane.All()[^1];
            Assert.Equal(lost, more.Losses.Sum(loss => (int)loss.Units));
            Assert.Equal(lost, lane.Status().Damaged);
            Assert.Equal((ulong)lost + 1, more.Collected);
        }
    }

    [Fact]
    public void Open_OlderSegmentCutAnywhere_LosesItsRestAndTellsSo()
    {
        var file = Written();
        var whole = File.ReadAllBytes(file);
        var ends = Ends(whole);
        _spools.Clock.Advance(TimeSpan.FromHours(1));
        _spools.Open().Health.Add(_spools, "next");
        var next = _spools.Files().Single(other => other != file);
        var nextBytes = File.ReadAllBytes(next);
        for (var length = 0; length < whole.Length; length++)
        {
            Directory.Delete(_spools.Health, recursive: true);
            Directory.CreateDirectory(_spools.Health);
            File.WriteAllBytes(file, whole[..length]);
            File.WriteAllBytes(next, nextBytes);

            // A file that ends with a record is taken for whole: nothing but a hand makes such a cut.
            var kept = ends.Count(end => end <= length);
            var lost = ends.Contains(length) ? 0 : Texts.Length - kept;
            var lane = _spools.Open().Health;
            lane.Add(_spools, "more");

            Assert.Equal([.. Texts.Take(kept), "next", "more"], lane.Texts());
            Assert.Equal(lost, (int)lane.All().SelectMany(record => record.Losses).Sum(loss => (long)loss.Units));
            Assert.Equal(lost, lane.Status().Damaged);

            // Told once.
            var again = _spools.Open().Health;
            again.Add(_spools, "again");
            Assert.Equal(lost, (int)again.All().SelectMany(record => record.Losses).Sum(loss => (long)loss.Units));
        }
    }

    /// <summary>Three hours of some records; bits of one of the first two files flip, while the agent is away or while it runs.</summary>
    [Property(MaxTest = 100)]
    public void Read_BitsThatFlipped_GivesAPrefixOfEachSegmentAndTheRestAsLost(uint[] places, bool isSecond, bool isRunning)
    {
        using var spools = new Spools();
        var spool = spools.Open();
        for (var hour = 0; hour < 3; hour++)
        {
            for (var i = 0; i < 5; i++)
                spool.Health.Append(spools.Clock.GetUtcNow(), i + 1, [(byte)hour, (byte)i]);
            spools.Clock.Advance(TimeSpan.FromHours(1));
        }

        foreach (var place in places)
            Flip(spools.Files()[isSecond ? 1 : 0], place);
        var lane = isRunning ? spool.Health : spools.Open().Health;
        var read = lane.All();
        lane.Append(spools.Clock.GetUtcNow(), 1, [9, 9]);
        var told = lane.All()[^1].Losses;

        for (var hour = 0; hour < 3; hour++)
        {
            var units = read.Where(record => record.Payload[0] == hour).Select(record => (int)record.Units).ToList();
            Assert.Equal(Enumerable.Range(1, units.Count), units);
            var start = new DateTimeOffset(2026, 3, 1, hour, 0, 0, TimeSpan.Zero);
            Assert.Equal(15, units.Sum() + told.Where(loss => loss.Hour == SpoolRecord.HourOf(start)).Sum(loss => (int)loss.Units));
        }

        Assert.All(told, loss => Assert.Equal(LossCause.Damaged, loss.Cause));
    }

    [Property(MaxTest = 100)]
    public void Open_NewestSegmentWithFlippedBits_GivesAPrefixAndRepeatsNoNumber(uint[] places)
    {
        using var spools = new Spools();
        spools.Open().Health.Add(spools, Texts);
        var last = spools.Open().Health.Last;
        foreach (var place in places)
            Flip(Assert.Single(spools.Files()), place);

        var lane = spools.Open().Health;
        var read = lane.Texts();
        lane.Add(spools, "more");

        Assert.Equal(Texts.Take(read.Count), read);
        Assert.InRange(lane.All()[^1].Losses.Sum(loss => (int)loss.Units), 0, Texts.Length - read.Count);
        Assert.True(lane.Last > last || read.Count == 0 || lane.Last.Epoch > last.Epoch);
        Assert.Equal([.. read, "more"], spools.Open().Health.Texts());
    }

    [Fact]
    public void Read_DirectoryThatIsGone_LosesWhatWasInItAndGoesOn()
    {
        var spool = _spools.Open();
        spool.Health.Add(_spools, "a", "b");

        Directory.Delete(_spools.State + "/spool", recursive: true);
        spool.Health.Add(_spools, "c");

        Assert.Equal(["c"], spool.Health.Texts());
        spool.Health.Add(_spools, "d");
        Assert.Equal(2u, Assert.Single(spool.Health.All()[^1].Losses).Units);
        Assert.Equal(["c", "d"], _spools.Open().Health.Texts());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_DamageInWhatIsAcknowledged_LosesOnlyWhatIsNot(bool isRunning)
    {
        var file = Written();
        var spool = _spools.Open();
        var lane = spool.Health;
        lane.Acked(lane.PositionOf("dddd"));
        _spools.Clock.Advance(TimeSpan.FromHours(1));
        lane.Add(_spools, "next");
        Flip(file, (uint)(Ends(File.ReadAllBytes(file))[1] - 1) * 8);

        lane = isRunning ? lane : _spools.Open().Health;
        var read = lane.Texts();
        lane.Add(_spools, "more");

        Assert.Equal(["next"], read);
        Assert.Equal(1, lane.Status().Damaged);
        Assert.Equal(1u, Assert.Single(lane.All()[^1].Losses).Units);
    }

    [Fact]
    public void Open_UnreadableSegmentOfARestartInTheSameHour_IsLostAsFarAsItCounted()
    {
        _spools.Open().Health.Add(_spools, "a", "b", "c");
        _spools.Open().Health.Add(_spools, "d", "e");
        _spools.Open().Health.Add(_spools, "f");
        Flip(_spools.Files()[1], 0);

        var lane = _spools.Open().Health;
        lane.Add(_spools, "more");

        Assert.Equal(["a", "b", "c", "f", "more"], lane.Texts());
        Assert.Equal(2u, Assert.Single(lane.All()[^1].Losses).Units);
    }

    private string Written()
    {
        _spools.Open().Health.Add(_spools, Texts);
        return Assert.Single(_spools.Files());
    }

    private static List<int> Ends(byte[] segment)
    {
        var ends = new List<int>();
        for (var end = Segment.HeaderLength; end < segment.Length;)
            ends.Add(end += (int)RecordFormat.ReadLength(segment.AsSpan(end)));
        return ends;
    }

    private static void Flip(string file, uint place)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[place / 8 % bytes.Length] ^= (byte)(1 << (int)(place % 8));

        // In its place: the agent may have it open.
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        stream.Write(bytes);
    }
}
