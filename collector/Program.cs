using Microsoft.AspNetCore.Server.Kestrel.Core;
using Telemetry.Collector;
using Telemetry.Collector.Alerts;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Cli;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Identity;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Reports;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;

return await CommandLine.RunAsync(ServeCommand.Create(Build), args);

static WebApplication Build(CollectorOptions options)
{
    var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
    builder.Services.AddSystemd();

    // Agents that hang don't end their connections: the others must not wait for that.
    builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
    builder.Logging.AddCollectorConsole();
    builder.Services.AddSingleton(TimeProvider.System);

    // Two listeners: agents over HTTP/2, people over HTTP/1.1 with gRPC-Web, which plain text cannot mix on one port.
    builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
    {
        // What an agent may send ahead: its unacknowledged nodes, and no more memory than that for each of thousands.
        kestrel.Limits.Http2.InitialStreamWindowSize = 256 * 1024;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 256 * 1024;
        kestrel.Listen(options.AgentsListen, listen => { listen.Protocols = HttpProtocols.Http2; listen.Mark(Listener.Agents); });
        kestrel.Listen(options.OperatorsListen, listen => { listen.Protocols = HttpProtocols.Http1; listen.Mark(Listener.Operators); });
    });
    builder.Services.AddGrpc(grpc => grpc.Interceptors.Add<Refusals>())
        .AddServiceOptions<AgentGrpcService>(grpc => grpc.MaxReceiveMessageSize = AgentGrpcService.MaxMessageBytes);

    // In the order the data flows.
    builder.Services.AddIngest(options.DataDirectory);                              // ingest
    builder.Services.AddSingleton(StateStore.Open(options.DataDirectory));          // keep
    builder.Services.AddSingleton(options.Store).AddHostedService<HistoryRetention>();
    builder.Services.AddSingleton<Pipeline>();                                      // compare, track and explain
    builder.Services.AddHostedService<ChangeRetention>();
    builder.Services.AddBaselines(options.DataDirectory);
    builder.Services.AddPolicies(options.DataDirectory);
    builder.Services.AddSingleton<DeviationFeed>();                                 // tell
    builder.Services.AddAlertRoutes(options.Routes);
    builder.Services.AddTimeSeries(options.TimeSeries, options.DataDirectory);      // record
    builder.Services.AddSingleton<TimeSeriesReport>();
    builder.Services.AddSingleton(AdminToken.LoadOrCreate(options.DataDirectory));

    var app = builder.Build();
    app.Lifetime.ApplicationStopping.Register(app.Services.GetRequiredService<ConnectedAgents>().Drain);
    app.UseRouting();
    app.UseMiddleware<OperatorGate>();
    app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
    app.MapGrpcService<AgentGrpcService>().On(Listener.Agents);
    app.MapGrpcService<FleetGrpcService>().On(Listener.Operators);
    app.MapGrpcService<BaselineGrpcService>().On(Listener.Operators);
    app.MapGrpcService<SigningGrpcService>().On(Listener.Operators);
    app.MapGrpcService<PolicyGrpcService>().On(Listener.Operators);
    app.MapGrpcService<DeviationGrpcService>().On(Listener.Operators);
    app.MapGrpcService<ReportGrpcService>().On(Listener.Operators);
    app.MapGet("/healthz", () => "ok\n").On(Listener.Operators).WithMetadata(new OpenToAll());
    return app;
}
