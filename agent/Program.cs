using System.CommandLine;
using Telemetry.Agent;
using Telemetry.Agent.Cli;

var clock = TimeProvider.System;

// The service, in the order its data flows.
var run = RunCommand.Create(clock, (services, options) => services
    .AddIdentity(options)   // which instance this is, and its state directory
    .AddScan(options)       // files and packages → fingerprints
    .AddManifest()          // fingerprints → trees and heads, kept on disk
    .AddHealth(options)     // probes → samples
    .AddUplink()            // heads, nodes and samples → collector
    .AddSupervision());     // loops → systemd

var scan = ScanCommand.Create(clock);
var show = ShowCommand.Create();
var diff = DiffCommand.Create();
var checkConfig = CheckConfigCommand.Create();

var root = new RootCommand("Fingerprints this machine and reports what changes.")
{
    run,
    scan,         // a directory into a manifest file
    show,         // what a manifest file says
    diff,         // two manifest files
    checkConfig,
    VersionCommand.Create(),
};
HelpText.AddExamples(root, new Dictionary<Command, string>
{
    [run] = RunCommand.Examples,
    [scan] = ScanCommand.Examples,
    [show] = ShowCommand.Examples,
    [diff] = DiffCommand.Examples,
    [checkConfig] = CheckConfigCommand.Examples,
});

return await CommandLine.RunAsync(root, args);
