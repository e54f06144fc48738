using Telemetry.Agent.Checks;
using Telemetry.Agent.Health;
using Telemetry.Agent.Identity;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Scrub;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Supervision;
using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent;

/// <summary>The agent's configuration, with the defaults beside it; each stage has its own part. Read from agent.toml and its overrides.</summary>
internal sealed record AgentOptions
{
    public const string DefaultFile = "/etc/telemetry/agent.toml";
    public const string EnvironmentPrefix = "TELEMETRY_AGENT__";

    /// <summary>Where reports go. Null: nowhere, the agent only keeps its state.</summary>
    public required Uri? Collector { get; init; }

    /// <summary>What is looked at: <c>/</c>, or a mounted image.</summary>
    public required string Root { get; init; }

    /// <summary>Made with mode 0700 when it is not there.</summary>
    public required string StateDirectory { get; init; }

    public required StateOptions State { get; init; }

    public required InstanceOptions Instance { get; init; }

    public required WatchOptions Watch { get; init; }

    public required ScanOptions Scan { get; init; }

    public required ScrubOptions Scrub { get; init; }

    public required SystemOptions System { get; init; }

    public required PolicyLimits Limits { get; init; }

    public required HealthOptions Health { get; init; }

    public required CheckOptions Checks { get; init; }

    public required SpoolOptions Spool { get; init; }

    public required LogOptions Log { get; init; }

    /// <exception cref="ConfigurationException">With all mistakes at once.</exception>
    public static AgentOptions Load(string? path, IReadOnlyDictionary<string, string> environment)
    {
        var settings = SettingsFile.Load(path, EnvironmentPrefix, environment);
        var options = new AgentOptions
        {
            Collector = ReadCollector(settings),
            Root = AbsolutePath(settings, "root", "/"),
            StateDirectory = AbsolutePath(settings, "state_directory", "/var/lib/telemetry-agent"),
            State = StateOptions.Read(settings.Section("state")),
            Instance = InstanceOptions.Read(settings.Section("instance")),
            Watch = WatchOptions.Read(settings.Section("watch")),
            Scan = ScanOptions.Read(settings.Section("scan")),
            Scrub = ScrubOptions.Read(settings.Section("scrub")),
            System = SystemOptions.Read(settings.Section("system")),
            Limits = PolicyLimits.Read(settings.Section("policy"), settings.Section("settings")),
            Health = HealthOptions.Read(settings.Section("health")),
            Checks = CheckOptions.Read(settings.Section("checks")),
            Spool = SpoolOptions.Read(settings.Section("spool")),
            Log = LogOptions.Read(settings.Section("log")),
        };
        settings.Complete();
        return options;
    }

    /// <summary>What is no mistake, but perhaps a slip: included paths that are not there. They are watched when they come.</summary>
    public IEnumerable<string> Warnings() => Watch.Include
        .Where(path => !Path.Exists(Path.Join(Root, path)))
        .Select(path => $"watch.include has '{path}', which is not there now; it is watched from when it comes.");

    // Fingerprints do not cross a network in the clear.
    private static Uri? ReadCollector(SettingsSection settings)
    {
        if (settings.TextOrNull("collector") is not { } text)
            return null;

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.Scheme is not ("http" or "https"))
            settings.Fail("collector", "must be a URL, such as \"http://127.0.0.1:7443\".");
        else if (uri.Scheme == "https")
            settings.Fail("collector", "cannot be https:// yet: TLS to the collector isn't available in this version; use http:// to a collector on this machine.");
        else if (!uri.IsLoopback)
            settings.Fail("collector", $"cannot be on another machine ('{uri.Host}') without TLS; use http:// to a collector on this machine.");
        else if (uri.UserInfo.Length > 0)
            settings.Fail("collector", "cannot have a user and password: the agent is known by its identity. Only scheme, address and port are meant, such as \"http://127.0.0.1:7443\".");
        else if (uri.AbsolutePath != "/" || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            settings.Fail("collector", "cannot have a path, query or fragment: only scheme, address and port are meant, such as \"http://127.0.0.1:7443\".");
        return uri;
    }

    private static string AbsolutePath(SettingsSection settings, string name, string fallback)
    {
        var path = settings.Text(name, fallback);
        if (!Path.IsPathRooted(path))
            settings.Fail(name, "must be an absolute path.");
        return path;
    }
}
