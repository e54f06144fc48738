using System.Net;
using Telemetry.Collector.Alerts;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector;

/// <summary>What a person may configure, with the defaults beside it. Read from collector.toml and its overrides.</summary>
internal sealed record CollectorOptions
{
    public const string DefaultPath = "/etc/telemetry/collector.toml";
    public const string EnvironmentPrefix = "TELEMETRY_COLLECTOR__";

    /// <summary>Holds the state store and the admin token; made with mode 0700 when it is not there.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Where agents connect.</summary>
    public required IPEndPoint AgentsListen { get; init; }

    /// <summary>Where people and programs connect.</summary>
    public required IPEndPoint OperatorsListen { get; init; }

    /// <summary>How states are kept.</summary>
    public required StoreOptions Store { get; init; }

    /// <summary>Where events are sent.</summary>
    public required IReadOnlyList<AlertRouteOptions> Routes { get; init; }

    /// <summary>Where health metrics, drift and compliance go.</summary>
    public required TimeSeriesOptions TimeSeries { get; init; }

    /// <exception cref="ConfigurationException">With all mistakes at once.</exception>
    public static CollectorOptions Load(string? path, IReadOnlyDictionary<string, string> environment)
    {
        var settings = SettingsFile.Load(path, EnvironmentPrefix, environment);
        var agents = settings.Section("agents");
        var operators = settings.Section("operators");
        var options = new CollectorOptions
        {
            DataDirectory = settings.Text("data_directory", "/var/lib/telemetry-collector"),
            AgentsListen = agents.EndPoint("listen", new IPEndPoint(IPAddress.Loopback, 7443)),
            OperatorsListen = operators.EndPoint("listen", new IPEndPoint(IPAddress.Loopback, 7080)),
            Store = StoreOptions.Read(settings.Section("store")),
            Routes = AlertRouteOptions.ReadAll(settings),
            TimeSeries = TimeSeriesOptions.Read(settings.Section("timeseries")),
        };

        if (!Path.IsPathRooted(options.DataDirectory))
            settings.Fail("data_directory", "must be an absolute path.");
        if (agents.Flag("tls", false))
            agents.Fail("tls", "cannot be true yet: this version speaks plain text to agents, on loopback only.");
        RequireLoopback(agents, options.AgentsListen);
        RequireLoopback(operators, options.OperatorsListen);

        settings.Complete();
        return options;
    }

    // Tokens and manifests do not cross a network in the clear.
    private static void RequireLoopback(SettingsSection section, IPEndPoint listen)
    {
        if (!IPAddress.IsLoopback(listen.Address))
            section.Fail("listen", $"must be a loopback address such as 127.0.0.1:{listen.Port}: without TLS, nothing listens on a network.");
    }
}
