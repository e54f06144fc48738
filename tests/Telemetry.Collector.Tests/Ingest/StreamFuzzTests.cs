using Google.Protobuf;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>Whatever is made of recorded streams: they end as bad messages or are understood, and the store stays whole.</summary>
public sealed class StreamFuzzTests
{
    /// <summary>Streams that one store is sent: in the first, every node is new to it.</summary>
    private const int StreamsOfAStore = 10;

    public static TheoryData<int> LongSeeds => [.. Enumerable.Range(100, 20)];

    [Fact]
    public void Stream_MadeWrong_IsRefusedOrUnderstood() => Fuzz(seed: 1, TimeSpan.FromSeconds(10));

    [Theory]
    [Trait("Category", "Long")]
    [MemberData(nameof(LongSeeds))]
    public void Stream_MadeWrongForLong_IsRefusedOrUnderstood(int seed) => Fuzz(seed, TimeSpan.FromMinutes(1));

    private static void Fuzz(int seed, TimeSpan time)
    {
        var recorded = RecordedStreams.Releases.SelectMany(RecordedStreams.Of).ToList();
        var began = TimeProvider.System.GetTimestamp();
        var (refused, understood) = (0, 0);
        for (var store = 0; TimeProvider.System.GetElapsedTime(began) < time; store++)
        {
            using var collector = new Collector();
            for (var stream = 0; stream < StreamsOfAStore; stream++)
            {
                var mutator = new StreamMutator(new Random((seed * 1_000_000) + (store * StreamsOfAStore) + stream), recorded);
                var end = Record.Exception(() => Play(collector, mutator, $".{stream}"));
                Assert.Equal((0, 0), (collector.Room.Bytes, collector.Messages.Bytes));
                Assert.True(
                    end is null or BadMessageException or NotCanonicalException or InvalidProtocolBufferException,
                    $"Seed {seed}, store {store}, stream {stream}: {end}");
                _ = end is null ? understood++ : refused++;
            }

            StoreInvariants.Check(collector.DataDirectory);
        }

        Assert.True(refused > 0 && understood > 0, $"{refused} were refused, {understood} understood");
    }

    /// <param name="suffix">Makes each stream another instance's.</param>
    private static void Play(Collector collector, StreamMutator mutator, string suffix)
    {
        var messages = mutator.Next();
        if (messages[0].Hello is not { } hello)
            throw new BadMessageException("the first message is not a hello");

        hello.InstanceId += suffix;
        using var stream = collector.NewStream(new PointQueue(collector.Store, Collector.StoreOptions, TimeProvider.System));
        stream.Welcome(hello);
        try
        {
            foreach (var message in messages.Skip(1))
            {
                stream.Receive(message);
                Assert.InRange(collector.Room.Bytes, 0, HeadAssembly.MaxHeldBytes);
                CertifyFirst(collector, hello.InstanceId);
            }
        }
        finally
        {
            stream.LeaveAsync(collector.NewDepartures(), Some.Time).GetAwaiter().GetResult();
        }
    }

    /// <summary>All others are judged against the first state there is.</summary>
    private static void CertifyFirst(Collector collector, string instanceId)
    {
        var isWanted = collector.Store.Read(transaction => transaction.Baselines.Bindings().Count == 0 && transaction.Heads.Newest(instanceId) is not null);
        if (!isWanted)
            return;

        collector.Baselines.Capture(VersionName.TryParse("shop:1")!, instanceId);
        collector.Baselines.Bind(Some.Binding(Selector.Tag, "role=recorded"));
    }
}
