using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests;

/// <summary>The collector's stages on a real store in a folder of its own, without listeners and with a clock that stands.</summary>
internal sealed class Collector : IDisposable
{
    public static readonly StoreOptions StoreOptions = new(TimeSpan.FromDays(400));

    /// <summary>For what goes by the real clock, and counts what is of a time of the tests' own.</summary>
    public static readonly StoreOptions KeepsAll = new(TimeSpan.FromDays(36_500));

    private readonly TemporaryDirectory _folder = new();

    private readonly ILogger<Pipeline> _pipelineLog;

    /// <param name="pipelineLog">Told whatever the main flow logs; null: nobody.</param>
    public Collector(ILogger<Pipeline>? pipelineLog = null)
    {
        _pipelineLog = pipelineLog ?? NullLogger<Pipeline>.Instance;
        Open();
    }

    public string DataDirectory => _folder.Path;

    public FakeTimeProvider Time { get; } = new(Some.Time);

    public StateStore Store { get; private set; } = null!;

    public DeviationFeed Feed { get; private set; } = null!;

    public Pipeline Pipeline { get; private set; } = null!;

    public BaselineRegistry Baselines { get; private set; } = null!;

    public BundleRegistry Bundles { get; private set; } = null!;

    public Seals Seals { get; private set; } = null!;

    public SigningRegistry Signing { get; private set; } = null!;

    public LayerRegistry Layers { get; private set; } = null!;

    public DecisionRegistry Decisions { get; private set; } = null!;

    public PolicyBook Policies { get; private set; } = null!;

    public PolicyRegistry PolicyRegistry { get; private set; } = null!;

    public FleetKey FleetKey { get; } = FleetKey.Random();

    public ConnectedAgents Agents { get; private set; } = null!;

    public AssemblyRoom Room { get; private set; } = null!;

    public MessageRoom Messages { get; private set; } = null!;

    public CheckRates CheckRates { get; private set; } = null!;

    public AgentStream NewStream(IPointSink? points = null, AssemblyRoom? room = null, MessageRoom? messages = null) =>
        new(Store, Pipeline, room ?? Room, messages ?? Messages, Policies, FleetKey, points ?? new NoPointSink(Store, KeepsAll, TimeProvider.System), CheckRates, Time, NullLogger.Instance);

    public Departures NewDepartures() => new(Store, NullLogger<Departures>.Instance);

    /// <summary>Ends without a word, and starts again on the same folder.</summary>
    public void Restart()
    {
        Store.Dispose();
        Open();
    }

    public IReadOnlyList<Deviation> Deviations(bool openOnly = false) =>
        [.. Store.Read(transaction => transaction.Deviations.Page(new DeviationFilter(), long.MaxValue, 10_000))
            .Where(deviation => !openOnly || deviation.IsOpen)
            .OrderBy(deviation => deviation.Id)];

    /// <summary>As a collector from before there were signatures.</summary>
    public void ForgetThatItSigned() => File.Delete(Path.Combine(DataDirectory, SigningKey.MarkName));

    /// <summary>Done to the store by somebody who can write to it.</summary>
    public void Alter(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(DataDirectory, "state.db")}");
        connection.Execute(sql);
    }

    /// <summary>A number that the store holds.</summary>
    public long Scalar(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(DataDirectory, "state.db")}");
        return connection.QuerySingle<long>(sql);
    }

    public IReadOnlyList<StoredEvent> Events() => Store.Read(transaction => transaction.Events.After(0, 10_000));

    /// <summary>Makes and binds version <paramref name="name"/> of what an instance is now.</summary>
    public void Certify(string instanceId, string name = "shop:1")
    {
        Baselines.Capture(VersionName.TryParse(name)!, instanceId);
        Baselines.Bind(Some.Binding(Selector.Instance, instanceId, name.Split(':')[0]));
    }

    public void Dispose()
    {
        Store.Dispose();
        _folder.Dispose();
    }

    private void Open()
    {
        Store = StateStore.Open(_folder.Path);
        Store.Write(transaction => transaction.Presence.EndAll());
        Agents = new ConnectedAgents(Time);
        Room = new AssemblyRoom(Time);
        Messages = new MessageRoom();
        CheckRates = new CheckRates(Time);
        Feed = new DeviationFeed(Store);
        Policies = new PolicyBook();
        Seals = new Seals(SigningKey.LoadOrCreate(_folder.Path), Time);
        Seals.Adopt(Store);
        Pipeline = new Pipeline(Store, Policies, Seals, Feed, Time, _pipelineLog);
        Baselines = new BaselineRegistry(Store, Policies, Seals, Pipeline, Agents, Time);
        Signing = new SigningRegistry(Store, Seals, Pipeline, Time);
        Bundles = new BundleRegistry(Store, Seals, Pipeline, Time);
        Layers = new LayerRegistry(Store, Policies, Seals, Time);
        Decisions = new DecisionRegistry(Store, Policies, Seals, Pipeline, Feed, Time);
        PolicyRegistry = new PolicyRegistry(Store, Policies, Pipeline, Agents, Time);
    }
}
