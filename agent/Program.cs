using System.CommandLine;
using Telemetry.Agent;
using Telemetry.Agent.Cli;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Cli;

// The helper that the service starts for files' settings.
if (args is [ParseSettingsCommand.Name])
    return ParseSettingsCommand.Run();

ProcessMemory.ShareHeap();
var clock = TimeProvider.System;

// The service, in the order its data flows.
var run = RunCommand.Create(clock, (services, options) => services
    .AddIdentity(options)   // which instance this is, and its state directory
    .AddSpool(options)      // what is not acknowledged yet, kept on disk
    .AddScan(options)       // files and packages → fingerprints
    .AddWatch(options)      // what changes is looked at at once
    .AddManifest(options)   // fingerprints → trees and heads, kept on disk
    .AddScrub(options)      // what the scans take on trust, slowly read again
    .AddHealth(options)     // probes → samples
    .AddChecks(options)     // what vendors' plug-ins say → states and samples
    .AddUplink()            // heads, nodes and samples → collector
    .AddStatus()            // how all of that is → whoever asks on this machine
    .AddSupervision());     // loops → systemd

var root = new RootCommand("Fingerprints this machine and reports what changes.")
{
    run,
    ScanCommand.Create(clock),      // a directory into a manifest file
    ShowCommand.Create(),           // what a manifest file says
    DiffCommand.Create(),           // two manifest files
    OwnerCommand.Create(clock),     // which package a path belongs to
    VerifyCommand.Create(clock),    // packaged files against their packages
    StatusCommand.Create(),         // how the running service is
    CheckConfigCommand.Create(),
    VersionCommand.Create(),
};
HelpText.Install(root);

return await CommandLine.RunAsync(root, args);
