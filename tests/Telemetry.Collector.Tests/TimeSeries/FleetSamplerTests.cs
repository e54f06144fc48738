using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Checks;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Collector.TimeSeries.Embedded;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>What the collector records of its own, read from the queue as the servers get it.</summary>
public sealed class FleetSamplerTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;
    private readonly PointQueue _queue;
    private readonly FleetSampler _sampler;

    public FleetSamplerTests()
    {
        _instance = new CertifiedInstance(_collector);
        _queue = new PointQueue(_collector.Store, Collector.StoreOptions, _collector.Time);
        _sampler = new FleetSampler(_collector.Store, _queue, _collector.Time, NullLogger<FleetSampler>.Instance);
    }

    public void Dispose()
    {
        _sampler.Dispose();
        _collector.Dispose();
    }

    [Fact]
    public void Deviations_ThatAreOpen_AreToldByLayerKindAndSeverityUntilTheyClose()
    {
        var clean = Assert.Single(Sample(), point => point.Measurement == "drift");
        Assert.Equal(("i-1", "web-1", "shop:1", 0), (clean.Tags["instance"], clean.Tags["host"], clean.Tags["baseline"], clean["open"]));

        _instance.Tamper();
        var open = Sample().Where(point => point.Measurement == "drift").ToList();
        var file = Assert.Single(open, point => point.Tags.ContainsKey("layer"));
        Assert.Equal(("shop:1", "file", 1, 1), (file.Tags["layer"], file.Tags["kind"], file["open"], file["undecided"]));
        Assert.Equal(1, file["info"] + file["low"] + file["medium"] + file["high"] + file["critical"]);
        Assert.Equal(_collector.Time.GetUtcNow().ToUnixTimeMilliseconds() - 10_000, file["since"]);

        _instance.Heal();
        var closed = Sample().Where(point => point.Measurement == "drift").ToList();
        Assert.Equal([0.0, 0.0], closed.Select(point => point["open"]));
        Assert.Contains(closed, point => point.Tags.GetValueOrDefault("layer") == "shop:1");
    }

    [Fact]
    public void Compliance_IsOneUntilSomethingNobodyDecidedOnIsOpen()
    {
        Assert.Equal(1, Compliance()["compliant"]);

        _instance.Tamper();
        var broken = Compliance();
        Assert.Equal((0.0, 1.0), (broken["compliant"], broken["undecided"]));

        _collector.Alter("UPDATE deviations SET state = 3");
        Assert.Equal(1, Compliance()["compliant"]);

        _collector.Alter("UPDATE instances SET comparison = 'not compared: something'");
        Assert.Equal(0, Compliance()["coverage"]);

        ReadPoint Compliance() => Assert.Single(Sample(), point => point.Measurement == "compliance");
    }

    [Fact]
    public void Sessions_AndFailingChecks_AreToldAsTheyBeginAndEnd()
    {
        Change(CheckState.Critical);
        var points = Sample();
        Assert.Equal(1, Assert.Single(points, point => point.Measurement == "session")["connected"]);
        var check = Assert.Single(points, point => point.Measurement == "check");
        Assert.Equal(("http", "apache", "acme", 1), (check.Tags["check"], check.Tags["layer"], check.Tags["owner"], check["failing"]));

        Change(CheckState.Ok);
        _collector.Store.Write(transaction => transaction.Presence.EndAll());
        points = Sample();
        Assert.Equal(0, Assert.Single(points, point => point.Measurement == "session")["connected"]);
        Assert.Equal(0, Assert.Single(points, point => point.Measurement == "check")["failing"]);
        Assert.DoesNotContain(Enumerable.Range(0, 6).SelectMany(_ => Sample()), point => point.Measurement == "check");
    }

    [Fact]
    public void Points_OfAFleetThatStandsStill_AreToldOnceAMinute()
    {
        Sample();

        Assert.Equal(3, Enumerable.Range(0, 6).Sum(_ => Sample().Count));
    }

    [Fact]
    public async Task Sample_OfTenThousandInstances_HasThemAll()
    {
        _instance.Tamper();
        _collector.Alter(
            """
            WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
            INSERT INTO instances (id, name, agent_version, instance_group, customer, tags, image, first_seen, last_seen, judged_id, comparison)
                 SELECT 'i-' || n.i, 'web', '1', 'g', 'c', '{}', 'ami', 0, 0, x.judged_id, '' FROM n, instances x WHERE x.id = 'i-1';
            INSERT INTO deviations (id, instance_id, kind, key, severity, state, baseline_id, opened_at, observed_before, transitions, membership, layer, owner)
                 SELECT 1000 + ROW_NUMBER() OVER (), i.id, 1, x'41', 3, 1, i.judged_id, 5, 5, 1, 0, 'shop:1', 'o' FROM instances i WHERE i.id <> 'i-1';
            """);

        var sample = _collector.Store.Read(transaction => transaction.Samples.Take());

        Assert.Equal(10_000, sample.Instances.Count);
        Assert.Equal(10_000, sample.Open.Count);
        Assert.Equal(30_000, await _sampler.SampleAsync());
    }

    private void Change(CheckState state)
    {
        var change = new CheckChange(new CheckName("apache", "http", "acme"), state, _collector.Time.GetUtcNow(), "", DefinesService: true);
        _collector.Store.Write(transaction => CheckStates.Keep(transaction, "i-1", new CheckReport([change], null)));
    }

    /// <summary>Ten seconds later.</summary>
    private List<ReadPoint> Sample()
    {
        _collector.Time.Advance(TimeSpan.FromSeconds(10));
        var last = Batches() is [.., var newest] ? newest.Id : 0;
        _sampler.SampleAsync().GetAwaiter().GetResult();
        return [.. Batches().Where(batch => batch.Id > last).SelectMany(batch => ReadPoint.All(batch.Lines))];
    }

    private IReadOnlyList<StoredPoints> Batches() => _collector.Store.Read(transaction => transaction.Points.Oldest(int.MaxValue, long.MaxValue));

    private sealed record ReadPoint(string Measurement, Dictionary<string, string> Tags, Dictionary<string, double> Fields)
    {
        public double this[string field] => Fields[field];

        public static IEnumerable<ReadPoint> All(ReadOnlyMemory<byte> lines)
        {
            for (var rest = lines; rest.Length > 0;)
            {
                var length = LineProtocol.FirstLine(rest.Span);
                yield return Of(rest.Span[..length]);
                rest = rest[length..];
            }
        }

        private static ReadPoint Of(ReadOnlySpan<byte> line)
        {
            var reader = new LineReader(line);
            var (measurement, tags) = LineReader.Split(reader.Series);
            var fields = new Dictionary<string, double>();
            while (reader.Next())
                fields[LineReader.Unescaped(reader.Field)] = reader.Value;
            return new ReadPoint(measurement, tags, fields);
        }
    }
}
