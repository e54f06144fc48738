using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Checks;
using Telemetry.Agent.Health;
using Telemetry.Agent.Identity;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Scrub;
using Telemetry.Agent.Settings;
using Telemetry.Agent.Spool;
using Telemetry.Agent.StatusReports;
using Telemetry.Agent.Supervision;
using Telemetry.Agent.SystemFacts;
using Telemetry.Agent.Uplink;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Agent.Watch.Who;

namespace Telemetry.Agent;

/// <summary>What each stage of the service needs. Stages meet in the state store and the spool.</summary>
internal static class AgentStages
{
    private const string ScanPulse = "scan", UplinkPulse = "uplink";
    private const string Proc = "/proc", PackageIndexFile = "packages.db";

    public static IServiceCollection AddIdentity(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(options)
        .AddSingleton(provider => StateDirectory.Open(
            options.StateDirectory, MachineId.Read(), provider.GetRequiredService<ILogger<StateDirectory>>()))
        .AddSingleton(provider => provider.GetRequiredService<StateDirectory>().Identity);

    public static IServiceCollection AddScan(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(options.Scan)
        .AddSingleton<DirtyPaths>()
        .AddSingleton<HeavyWork>()
        .AddSingleton(new SettingsParser())
        .AddSingleton<LossLog>()
        .AddSingleton(provider => new RulesInForce(
            provider.GetRequiredService<StateDirectory>().Path, provider.GetRequiredService<ILogger<RulesInForce>>()))
        .AddSingleton(provider => new ScanPlan(options.Root)
        {
            Local = WatchScope.Of(options.Root, options.Watch.Include, [.. options.Watch.Exclude, .. WatchScope.Own(options)]),
            Facts = new FactSources(options.Root, options.System.Facts, provider.GetRequiredService<TimeProvider>()),
            Limits = options.Limits,
            Locks = new PackageLocks(options.Root),
            Parser = provider.GetRequiredService<SettingsParser>(),
            SpillDirectory = provider.GetRequiredService<StateDirectory>().Path,
        });

    public static IServiceCollection AddSpool(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(provider => new SpoolDirectory(
            provider.GetRequiredService<StateDirectory>().Path,
            options.Spool,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SpoolDirectory>>()));

    public static IServiceCollection AddManifest(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(provider => new StateStore(
            provider.GetRequiredService<StateDirectory>().Path,
            options.State,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<StateStore>>()))
        .AddSingleton(provider => new ChangeLog(
            provider.GetRequiredService<SpoolDirectory>().Changes,
            provider.GetRequiredService<ChangeMapping>().Encode,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<StateStore>().Ledger.Head?.Generation ?? 0))
        .AddPulse(ScanPulse)
        .AddHostedService<ScanLoop>();

    /// <summary>Before the scan, so that nothing falls between the two.</summary>
    public static IServiceCollection AddWatch(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(provider => new ActorReader(
            Proc,
            new UserNames("/", provider.GetRequiredService<TimeProvider>()),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ScanPlan>().Filesystems.Has))
        .AddSingleton(provider => new TransactionWatch(
            new PackageLocks(options.Root), new TransactionProcesses(Proc), new TransactionTracker(), provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new TransactionReporter(
            provider.GetRequiredService<ScanPlan>(),
            provider.GetRequiredService<StateStore>(),
            provider.GetRequiredService<DirtyPaths>(),
            provider.GetRequiredService<HeavyWork>(),
            Path.Combine(provider.GetRequiredService<StateDirectory>().Path, PackageIndexFile),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<TransactionReporter>>()))
        .AddHostedService(provider => provider.GetRequiredService<TransactionReporter>())
        .AddSingleton<WatchCounters>()
        .AddSingleton<DirectoryWatcher>()
        .AddSingleton<ChangeWatcher>()
        .AddHostedService(provider => provider.GetRequiredService<ChangeWatcher>());

    public static IServiceCollection AddScrub(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(options.Scrub)
        .AddSingleton(provider => new ScrubPosition(
            provider.GetRequiredService<StateDirectory>().Path, provider.GetRequiredService<TimeProvider>()))
        .AddHostedService<ScrubLoop>();

    public static IServiceCollection AddHealth(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(options.Health)
        .AddSingleton(provider => new HealthQueue(
            provider.GetRequiredService<SpoolDirectory>().Health,
            sample => sample.Encode(options.Instance.Name),
            hasCollector: options.Collector is not null,
            provider.GetRequiredService<ILogger<HealthQueue>>(),
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<AgentSelf>()
        .AddSingleton<IEnumerable<IProbe>>(provider =>
            [.. MachineProbes.Of(options.Health, provider.GetRequiredService<AgentSelf>().Read, provider.GetRequiredService<TimeProvider>())])
        .AddHostedService<HealthLoop>();

    /// <summary>Without a collector nobody would know what they come to.</summary>
    public static IServiceCollection AddChecks(this IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton(provider => new CheckLog(
            provider.GetRequiredService<SpoolDirectory>().Checks, CheckMapping.Encode, provider.GetRequiredService<TimeProvider>()));
        if (options.Collector is null)
            return services;
        return services
            .AddSingleton(new CheckRunner(options.Checks))
            .AddSingleton(options.Checks.AreEnabled ? LayerChecks.Read(options.Checks.Layers) : new LayerChecks([], []))
            .AddHostedService<CheckLoop>();
    }

    public static IServiceCollection AddUplink(this IServiceCollection services) => services
        .AddSingleton<ChangeMapping>()
        .AddPulse(UplinkPulse)
        .AddSingleton<CollectorLink>()
        .AddHostedService<CollectorUplink>();

    public static IServiceCollection AddStatus(this IServiceCollection services) => services
        .AddSingleton<StatusBoard>()
        .AddHostedService<StatusServer>();

    /// <summary>systemd is told only when it started the service: elsewhere nobody listens.</summary>
    public static IServiceCollection AddSupervision(this IServiceCollection services)
    {
        services.AddHostedService<MemoryKeeper>();
        services.AddSystemd();
        if (services.Any(service => service.ServiceType == typeof(ISystemdNotifier)))
            services.AddHostedService<Watchdog>();
        return services;
    }

    private static IServiceCollection AddPulse(this IServiceCollection services, string name) => services
        .AddKeyedSingleton(name, (_, _) => new LoopPulse(name))
        .AddSingleton(provider => provider.GetRequiredKeyedService<LoopPulse>(name));
}
