using System.CommandLine;
using System.Globalization;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.SystemFacts;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Cli;

/// <summary><c>scan</c>: a directory, a mounted image or a live root into one manifest file.</summary>
internal static class ScanCommand
{
    private const string Examples = """
        telemetry-agent scan --root / --out machine.manifest
        telemetry-agent scan --root /mnt/image --out image.manifest
        telemetry-agent scan --root /etc --out etc.manifest --no-packages
        """;

    private static readonly Option<string> Root = new("--root")
    {
        Description = "Directory to fingerprint: a live root, a mounted image, any directory",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<string> Out = new("--out")
    {
        Description = "Manifest file to write; it appears when it is complete",
        HelpName = "FILE",
        Required = true,
    };

    private static readonly Option<bool> NoPackages = new("--no-packages") { Description = "Leave out the package database" };

    private static readonly Option<bool> NoSettings = new("--no-settings") { Description = "Leave out settings: parse no configuration file" };

    private static readonly Option<string?> PolicyPath = new("--policy")
    {
        Description = "Policy to go by (TOML); without it the shipped default",
        HelpName = "FILE",
    };

    private static readonly Option<string?> FleetKeyPath = new("--fleet-key")
    {
        Description = "File with the fleet's key, for digests of secrets that can be compared with the fleet's; without it a random key",
        HelpName = "FILE",
    };

    private static readonly Option<bool> NoSystem = new("--no-system") { Description = "Leave out facts of the running system; only the root / has them" };

    private static readonly Option<bool> Wait = new("--wait") { Description = "Read files above 64 GiB too, however long it takes" };

    public static Command Create(TimeProvider clock)
    {
        var command = new Verb("scan", "Fingerprint a directory into a manifest file", Examples)
        {
            Root, Out, PolicyPath, FleetKeyPath, NoPackages, NoSettings, NoSystem, Wait,
        };
        command.SetAction(arguments => Run(arguments, clock));
        return command;
    }

    private static int Run(ParseResult arguments, TimeProvider clock)
    {
        ProcessLimits.RaiseOpenFiles();
        using var interruption = new Interruption();
        var root = Path.GetFullPath(arguments.GetValue(Root)!);
        var path = CheckOut(arguments.GetValue(Out)!);
        var policy = arguments.GetValue(PolicyPath) is { } policyFile ? PolicyFile.Load(policyFile) : ShippedPolicies.Default;
        var key = arguments.GetValue(FleetKeyPath) is { } keyFile ? ReadKey(keyFile) : FleetKey.Random();
        var plan = new ScanPlan(root)
        {
            Local = WatchScope.Of(root, [], []),
            Packages = !arguments.GetValue(NoPackages),
            Facts = arguments.GetValue(NoSystem) ? null : new FactSources(root, FactSources.All, clock),
            Settings = !arguments.GetValue(NoSettings),
            Wait = arguments.GetValue(Wait),
        };

        var scan = plan.Under(policy, key, clock);
        var started = clock.GetTimestamp();
        var progress = new ScanProgress();
        Sighting sighting;
        using (var file = new ManifestFileWriter(path))
        using (new ScanReport(root, scan.Scope, progress, clock))
        {
            sighting = scan.Run(new ManifestFileTarget(file), progress, interruption.Token);
            file.Complete(new ManifestHead(
                sighting.Roots, sighting.Coverage, sighting.CompletedAt, $"{root} of {Environment.MachineName}"));
        }

        Console.Out.WriteLine(Summary(path, sighting, progress, clock.GetElapsedTime(started)));
        foreach (var gap in sighting.Coverage.Gaps)
            Console.Error.WriteLine($"Not covered: {KeyText.Format(gap.Kind, gap.Prefix.Bytes)} ({gap.Reason})");
        foreach (var missing in Missing(root, policy.Include))
            Console.Error.WriteLine($"Not there: {KeyText.Format(EntryKind.File, missing.Bytes)}, which the policy includes. Paths in a policy are below the root, and no link is followed.");
        return ExitCode.Yes;
    }

    /// <summary>No mistake, as the same policy is for many machines; but perhaps a slip.</summary>
    private static List<EntryKey> Missing(string root, IEnumerable<EntryKey> include)
    {
        if (RootedTree.Open(root, out var tree) != 0)
            return [];
        using (tree)
            return [.. include.Where(key => Errno.IsGone(tree!.Status(key.Bytes, out _)))];
    }

    /// <summary>The file takes the place of what has its name: that must be a file, not a device or a link to who knows what.</summary>
    private static string CheckOut(string path)
    {
        if (path == "-")
            throw new UsageException("A manifest can't be written to standard output; name a file with --out.");
        return OpenFile.StatusOf(path) is { Type: not FileType.File }
            ? throw new UsageException($"--out names '{path}', which is no regular file; name a file that may be replaced, or one that is not there.")
            : path;
    }

    private static FleetKey ReadKey(string path)
    {
        try
        {
            return FleetKey.Parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ConfigurationException([$"{path} can't be used as fleet key: {e.Message}"]);
        }
    }

    private static string Summary(string path, Sighting sighting, ScanProgress progress, TimeSpan time) => string.Create(
        CultureInfo.InvariantCulture,
        $"{path}: {sighting.Entries} entries, {progress.Bytes} bytes, {time.TotalSeconds:F1} seconds, "
        + $"roots {string.Join(' ', EntryKinds.All.Select(kind => $"{kind.Name()}={sighting.Roots[kind]}"))}");
}
