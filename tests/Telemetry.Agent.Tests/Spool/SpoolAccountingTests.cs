using FsCheck.Xunit;
using Telemetry.Agent.Spool;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Spool;

/// <summary>Whatever happens: what was collected is what the collector stored and what it was told as lost.</summary>
public sealed class SpoolAccountingTests
{
    [Property(MaxTest = 60)]
    public void AnySchedule_OfSamplesStreamsChangesAndKills_LosesNothingUntold(byte[] steps)
    {
        using var spools = new Spools();
        var collected = new Dictionary<(ulong Epoch, long Hour), ulong>();
        var told = new Dictionary<HeadPosition, SpoolRecord>();
        var stored = new Dictionary<HeadPosition, SpoolRecord>();
        var spool = Open(spools);
        var cursor = default(SpoolCursor);
        foreach (var step in Enumerable.Repeat(steps, 8).SelectMany(some => some).Append((byte)6))
        {
            switch (step % 7)
            {
                case 0 or 1 or 2:
                    var units = (uint)(step / 7) + 1;
                    spool.Health.Append(spools.Clock.GetUtcNow(), (int)units, new byte[step * 150]);
                    var hour = (spool.Health.Last.Epoch, SpoolRecord.HourOf(spools.Clock.GetUtcNow()));
                    collected[hour] = collected.GetValueOrDefault(hour) + units;
                    break;
                case 3:
                    for (var i = 0; i < step / 16 && spool.Health.Read(ref cursor) is { } record; i++)
                        Tell(record);
                    break;
                case 4:
                    // Not all that was sent is acknowledged.
                    if (told.Count > 0)
                        Store(told.Keys.Order().ElementAt(told.Count * (step / 7) / 40));
                    break;
                case 5:
                    spools.Clock.Advance(TimeSpan.FromMinutes(step));
                    spool.Changes.Append(spools.Clock.GetUtcNow(), 1, new byte[step * 100]);

                    // If they took all, metrics would be in memory, and a kill would end them.
                    if (spool.Changes.Status().Bytes > 150_000)
                        spool.Changes.Acked(spool.Changes.Last);
                    break;
                default:
                    spool = Open(spools);
                    cursor = default;
                    if (stored.Count > 0)
                        spool.Health.Acked(stored.Keys.Max());
                    break;
            }
        }

        TellAll();

        // What is pending is told with the next sample.
        spool.Health.Append(spools.Clock.GetUtcNow(), 0, [1]);
        TellAll();
        var losses = stored.Values.SelectMany(record => record.Losses).GroupBy(loss => loss.Hour).ToDictionary(group => group.Key, group => group.Sum(loss => (long)loss.Units));
        var sent = stored.Values.GroupBy(record => record.Hour).ToDictionary(group => group.Key, group => group.Sum(record => (long)record.Units));
        foreach (var hour in collected.GroupBy(one => one.Key.Hour))
            Assert.Equal(hour.Sum(one => (long)one.Value), sent.GetValueOrDefault(hour.Key) + losses.GetValueOrDefault(hour.Key));
        Assert.All(stored.Values.Where(record => record.Units > 0), record => Assert.True(record.Collected <= collected[(record.Position.Epoch, record.Hour)]));

        void TellAll()
        {
            while (spool.Health.Read(ref cursor) is { } record)
                Tell(record);
            Store(spool.Health.Last);
        }

        void Store(HeadPosition position)
        {
            // What gave way meanwhile is told as lost: whoever did not acknowledge it does not have it.
            foreach (var record in spool.Health.All().Where(record => record.Position <= position && told.ContainsKey(record.Position)))
                stored[record.Position] = record;
            spool.Health.Acked(position);
        }

        void Tell(SpoolRecord record)
        {
            if (told.TryAdd(record.Position, record))
                return;
            Assert.Equal(told[record.Position].Payload, record.Payload);
            Assert.Equal(told[record.Position].Losses, record.Losses);
            Assert.Equal((told[record.Position].Collected, told[record.Position].Time), (record.Collected, record.Time));
        }
    }

    // Small, so that much gives way.
    private static SpoolDirectory Open(Spools spools) => spools.Open(bytes: 300_000);
}
