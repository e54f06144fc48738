using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class SeriesGuardTests
{
    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly RecordingLogger _log = new();

    [Fact]
    public void Series_OfAMeasurementThatExplodes_AreRefusedAndOthersGoOn()
    {
        var guard = Guard(new SeriesLimits(All: 1_000, PerMeasurement: 100));

        Assert.Equal(100, Enumerable.Range(0, 500).Count(i => guard.Admits(Series($"net,interface=veth{i}"), "i-1")));

        Assert.True(guard.Admits(Series("net,interface=veth7"), "i-1"), "one that is known");
        Assert.True(guard.Admits(Series("cpu,cpu=cpu0"), "i-1"), "one of another measurement");
        Assert.Equal(101, guard.Count);
        var message = Assert.Single(_log.Messages);
        Assert.Contains("measurement net are refused, such as net,interface=veth100", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Series_OfManyMeasurements_AreRefusedBeyondTheSum()
    {
        var guard = Guard(new SeriesLimits(All: 150, PerMeasurement: 100));

        Assert.Equal(150, Enumerable.Range(0, 90).Count(i => guard.Admits(Series($"a,x={i}"), "i-1")) + Enumerable.Range(0, 90).Count(i => guard.Admits(Series($"b,x={i}"), "i-1")));
        Assert.Equal(150, guard.Count);
    }

    [Fact]
    public void Series_OfOneInstanceThatExplodes_LeaveRoomForTheOthers()
    {
        var guard = Guard(new SeriesLimits(All: 1_000, PerMeasurement: 1_000, PerInstance: 50));

        Assert.Equal(50, Enumerable.Range(0, 500).Count(i => guard.Admits(Series($"m{i % 7},x={i}"), "i-1")));

        Assert.True(guard.Admits(Series("m1,x=other"), "i-2"), "one of another instance");
        Assert.Equal(100, Enumerable.Range(0, 100).Count(i => guard.Admits(Series($"drift,instance={i}"), instanceId: null)));
        Assert.Contains("series of instance i-1 are refused", Assert.Single(_log.Messages), StringComparison.Ordinal);
    }

    [Fact]
    public void Measurements_ThatAreNoMore_MakeRoomForOthers()
    {
        var guard = Guard(new SeriesLimits());
        Assert.Equal(100, Enumerable.Range(0, 2_000).Count(i => guard.Admits(Series($"made-up-{i}"), "i-1")));
        Assert.True(guard.Admits(Series("cpu"), "i-2"), "another instance has names of its own");
        Assert.Equal(9_899, Enumerable.Range(0, 20_000).Count(i => guard.Admits(Series($"made-up-too-{i}"), $"j-{i % 150}")));
        Assert.False(guard.Admits(Series("mem"), "i-2"), "there are too many measurements");

        _time.Advance(TimeSpan.FromDays(2));

        Assert.True(guard.Admits(Series("mem"), "i-2"));
        Assert.Equal(1, guard.Count);
    }

    [Fact]
    public void Series_ThatHadNoPointForADay_MakeRoomForOthers()
    {
        var guard = Guard(new SeriesLimits(All: 100, PerMeasurement: 100));
        for (var i = 0; i < 100; i++)
            guard.Admits(Series($"m,x={i}"), "i-1");
        for (var hour = 0; hour < 25; hour++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            Assert.True(guard.Admits(Series("m,x=1"), "i-1"), "it goes on");
        }

        Assert.True(guard.Admits(Series("m,x=new"), "i-1"));
        Assert.Equal(2, guard.Count);
    }

    [Fact]
    public void Fields_OfOneInstanceThatMakesThemUp_LeaveRoomForTheOthers()
    {
        var guard = Guard(new SeriesLimits { FieldsPerInstance = 50, Fields = 200 });

        Assert.Equal(50, Enumerable.Range(0, 500).Count(i => guard.AdmitsLine(Series($"m f{i}=1 1"), "i-1")));

        Assert.True(guard.AdmitsLine(Series("m f7=1,f8=\"text\" 2"), "i-1"), "those that are known go on");
        Assert.False(guard.AdmitsLine(Series("m text=\"a=b,c\" 2"), "i-1"), "a text is a field, too");
        Assert.True(guard.AdmitsLine(Series("m usage=1 2"), "i-2"), "another instance has names of its own");
        Assert.Contains("New names of fields of instance i-1 are refused, such as m.", Assert.Single(_log.Messages), StringComparison.Ordinal);
        var refusal = Assert.Single(guard.Usage.Refusals);
        Assert.Equal(("i-1", 451L, 51), (refusal.InstanceId, refusal.Points, guard.Usage.Fields));
    }

    [Fact]
    public void Fields_OfSeriesThatAreNamed_CountAsThoseOfPointsDo()
    {
        var guard = Guard(new SeriesLimits { FieldsPerInstance = 3 });
        var names = new SeriesNames();
        names.Name(new V1.Series { Id = 1, Measurement = "m", FloatFields = { "a" }, IntFields = { "b" } });
        names.Name(new V1.Series { Id = 2, Measurement = "n", FloatFields = { "a", "c" } });
        names.Name(new V1.Series { Id = 3, Measurement = "m", FloatFields = { "a", "d" } });
        bool Admits(uint id, int floats, int ints) =>
            guard.Admits(names.Of(new V1.SeriesRow { Series = id, FloatValues = { Enumerable.Repeat(1.0, floats) }, IntValues = { Enumerable.Repeat(1L, ints) } })!.Value, "i-1");

        Assert.True(Admits(1, 1, 1));
        Assert.True(Admits(2, 2, 0));
        Assert.False(Admits(3, 2, 0), "d is the fourth");
        Assert.False(Admits(3, 2, 0), "it stays so");
        Assert.True(guard.AdmitsLine(Series("o a=1,b=2i,c=3 1"), "i-1"), "the names are known");
        Assert.True(Admits(1, 1, 1), "and its series goes on");
    }

    [Fact]
    public void Series_ThatTheStoreKeeps_LeaveTheShareAfterADayAndTheRoomWhenTheyAreGone()
    {
        var guard = Guard(new SeriesLimits(All: 1_000, PerMeasurement: 150, PerInstance: 100));
        for (var i = 0; i < 100; i++)
        {
            Assert.True(guard.Admits(Series($"m,x={i}"), "i-1"));
            guard.Keeps(Series($"m,x={i}"), "i-1");
        }

        Assert.False(guard.Admits(Series("m,x=100"), "i-1"), "its share is full");
        _time.Advance(TimeSpan.FromDays(2));
        Assert.False(guard.Admits(Series("m,x=new"), "i-1"), "a tenth of all is kept of it");
        Assert.Equal(50, Enumerable.Range(100, 80).Count(i => guard.Admits(Series($"m,x={i}"), "i-2")));

        guard.Gone(Series("m,x=99"));

        Assert.True(guard.Admits(Series("m,x=new"), "i-1"));
    }

    [Fact]
    public void Series_OfAStoreThatWasThereBefore_CountAtOnce()
    {
        var guard = Guard(new SeriesLimits(All: 10_000, PerMeasurement: 10_000, PerInstance: 100));
        for (var i = 0; i < 100; i++)
            guard.Keeps(Series($"m,x={i}"), "i-1");
        for (var i = 0; i < 50; i++)
            guard.Keeps(Series($"m,y={i}"), instanceId: null);

        Assert.False(guard.Admits(Series("m,x=new"), "i-1"));
        Assert.Equal(50, Enumerable.Range(0, 50).Count(i => guard.Admits(Series($"m,y={i}"), "i-2")));
        Assert.Equal(50, Enumerable.Range(0, 200).Count(i => guard.Admits(Series($"m,z={i}"), "i-2")));
    }

    [Fact]
    public void Series_ThatAnotherInstanceTellsAgain_CountInItsShare()
    {
        var guard = Guard(new SeriesLimits(All: 1_000, PerMeasurement: 1_000, PerInstance: 100));
        for (var i = 0; i < 90; i++)
            guard.Keeps(Series($"m,x={i}"), "i-1", isActive: false);
        for (var i = 0; i < 90; i++)
            Assert.True(guard.Admits(Series($"m,x={i}"), "i-2"));

        Assert.Equal(100, Enumerable.Range(0, 200).Count(i => guard.Admits(Series($"m,y={i}"), "i-1")));
        Assert.Equal(10, Enumerable.Range(0, 200).Count(i => guard.Admits(Series($"m,z={i}"), "i-2")));
    }

    [Fact]
    public void Series_OfTheCollectorItself_HaveAShareByInstanceAndNoOtherLimit()
    {
        var guard = Guard(new SeriesLimits(All: 100, PerMeasurement: 100, PerInstance: 100) { OwnPerInstance = 20 });
        for (var i = 0; i < 100; i++)
            Assert.True(guard.Admits(Series($"m,x={i}"), "i-1"));
        Assert.False(guard.Admits(Series("m,x=new"), "i-2"), "there are as many as there may be");

        Assert.Equal(300, Enumerable.Range(0, 300).Count(i => guard.Admits(Series($"drift,instance=i-{i}"), instanceId: null)));
        Assert.Equal(19, Enumerable.Range(0, 300).Count(i => guard.Admits(Series($"check,check=c{i},instance=i-1"), instanceId: null)));
        Assert.True(guard.Admits(Series("check,check=c1,instance=i-2"), instanceId: null));
        Assert.Equal(("i-1", 281L), guard.Usage.Refusals.Select(refusal => (refusal.InstanceId, refusal.Points)).First());
        Assert.Equal(282, guard.Usage.RefusedPoints);
    }

    [Fact]
    public async Task Points_OfSeriesThatAreTooMany_AreCountedAsRejected()
    {
        using var collector = new Collector();
        var queue = new PointQueue(collector.Store, Collector.StoreOptions, collector.Time, guard: Guard(new SeriesLimits(All: 3, PerMeasurement: 3)));
        var batch = new V1.HealthBatch { Collected = 10, Time = Some.Time.ToTimestamp() };
        batch.Points.AddRange(Enumerable.Range(0, 5).Select(i => new V1.Point
        {
            Measurement = "m",
            Tags = { ["x"] = $"{i}" },
            Time = Some.Time.ToTimestamp(),
            Fields = { new V1.Field { Name = "v", IntValue = i } },
        }));
        var names = new SeriesNames();
        for (var i = 0u; i < 5; i++)
        {
            names.Name(new V1.Series { Id = i, Measurement = "m", Tags = { ["x"] = $"{i}" }, IntFields = { "v" } });
            batch.Rows.Add(new V1.SeriesRow { Series = i, IntValues = { 1 } });
        }

        var adding = queue.AddAsync([queue.Prepare(new PointDelivery("i-1", new HeadPosition(1, 1), batch, names) { SampledAt = Some.Time })]);
        collector.Time.Advance(TimeSpan.FromSeconds(1));
        await adding;

        var account = Assert.Single(collector.Store.Read(transaction => transaction.PointAccounts.Of("i-1", Some.Time, Some.Time.AddHours(1))));
        Assert.Equal((6, 4), (account.Counts.Stored, account.Counts.Rejected));
        Assert.Equal((RejectionReason.TooManySeries, 4), Assert.Single(account.Rejections));
    }

    private static byte[] Series(string series) => System.Text.Encoding.UTF8.GetBytes(series);

    private SeriesGuard Guard(SeriesLimits limits) => new(limits, _time, _log);

    private sealed class RecordingLogger : ILogger<SeriesGuard>
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Add(formatter(state, exception));
    }
}
