using System.CommandLine;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Scan;

namespace Telemetry.Agent.Cli;

/// <summary>What the commands about packaged files have in common.</summary>
internal static class PackageQuestion
{
    public static Option<string> Root { get; } = new("--root")
    {
        Description = "Live root or mounted image whose packages are meant; its database is read, and paths are below it",
        HelpName = "DIR",
        DefaultValueFactory = _ => "/",
    };

    /// <summary>The root that was named, and the package databases in it.</summary>
    /// <exception cref="ScanRootException">The root can't be opened.</exception>
    /// <exception cref="UsageException">There is no package database.</exception>
    public static (RootedTree Tree, IReadOnlyList<IPackageFiles> Sources) Open(ParseResult arguments, TimeProvider clock)
    {
        var root = Path.GetFullPath(arguments.GetValue(Root)!);
        var errno = RootedTree.Open(root, out var tree);
        if (errno != 0)
            throw new ScanRootException(root, errno);

        var sources = PackageDatabases.Files(root, clock).Where(source => source.State() is not null).ToList();
        return sources.Count > 0
            ? (tree!, sources)
            : throw new UsageException($"There is no package database of dpkg or rpm below '{root}'. Name the root of a machine or an image.");
    }

    /// <summary>Said once at the end, after the answers.</summary>
    public static void Report(IEnumerable<string> mistakes)
    {
        foreach (var mistake in mistakes)
            Console.Error.WriteLine($"Not covered: {mistake}.");
    }
}
