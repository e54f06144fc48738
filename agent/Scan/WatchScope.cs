using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>From the configured paths to the scope that a scan has and the manifest tells.</summary>
internal static class WatchScope
{
    // What the kernel makes up, and what is made to be lost.
    private static readonly EntryKey[] NeverState =
        [EntryKey.Of("dev"), EntryKey.Of("proc"), EntryKey.Of("run"), EntryKey.Of("sys"), EntryKey.Of("tmp")];

    /// <param name="include">Paths below the root; none: all of it.</param>
    /// <remarks>
    /// At the root <c>/</c> of a machine /dev, /proc, /run, /sys and /tmp are excluded, unless a path at or below one of them is
    /// included by name.
    /// </remarks>
    public static Scope Of(string root, IReadOnlyList<string> include, IReadOnlyList<string> exclude)
    {
        EntryKey[] included = include.Count == 0 ? [EntryKey.Root] : [.. include.Select(EntryKey.OfPath)];
        var excluded = exclude.Select(EntryKey.OfPath);
        if (Path.GetFullPath(root) == "/")
            excluded = excluded.Concat(NeverState.Where(never => !Array.Exists(included, key => key.IsUnder(never))));
        return new Scope(included, excluded);
    }

    /// <summary>The agent's own state, where it lies below the root: every scan writes to it, and would find its own writes.</summary>
    public static IReadOnlyList<string> Own(AgentOptions options)
    {
        var relative = Path.GetRelativePath(options.Root, options.StateDirectory);
        return relative == ".." || relative.StartsWith("../", StringComparison.Ordinal) ? [] : ["/" + relative];
    }
}
