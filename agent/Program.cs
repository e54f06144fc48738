using System.CommandLine;
using Telemetry.Agent.Cli;

var clock = TimeProvider.System;

var scan = ScanCommand.Create(clock);
var show = ShowCommand.Create();
var diff = DiffCommand.Create();
var checkConfig = CheckConfigCommand.Create();

var root = new RootCommand("Fingerprints this machine and reports what changes.")
{
    scan,         // a directory into a manifest file
    show,         // what a manifest file says
    diff,         // two manifest files
    checkConfig,
    VersionCommand.Create(),
};
HelpText.AddExamples(root, new Dictionary<Command, string>
{
    [scan] = ScanCommand.Examples,
    [show] = ShowCommand.Examples,
    [diff] = DiffCommand.Examples,
    [checkConfig] = CheckConfigCommand.Examples,
});

return await CommandLine.RunAsync(root, args);
