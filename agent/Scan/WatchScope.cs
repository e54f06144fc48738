using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Scan;

/// <summary>From the configured paths to the scope that a scan has and the manifest tells.</summary>
internal static class WatchScope
{
    // What the kernel makes up, and what is made to be lost.
    private static readonly EntryKey[] NeverState =
    [
        EntryKey.Of("dev"), EntryKey.Of("proc"), EntryKey.Of("run"), EntryKey.Of("sys"), EntryKey.Of("tmp"), EntryKey.Of("var", "tmp"),
    ];

    /// <param name="include">Paths below the root; none: all of it.</param>
    /// <remarks>
    /// At the root <c>/</c> of a machine /dev, /proc, /run, /sys, /tmp and /var/tmp are excluded, unless a path at or below one of
    /// them is included by name.
    /// </remarks>
    public static Scope Of(string root, IReadOnlyList<string> include, IReadOnlyList<string> exclude)
    {
        EntryKey[] included = include.Count == 0 ? [EntryKey.Root] : [.. include.Select(EntryKey.OfPath)];
        var excluded = exclude.Select(EntryKey.OfPath);
        if (Path.GetFullPath(root) == "/")
            excluded = excluded.Concat(NeverState.Where(never => !Array.Exists(included, key => key.IsUnder(never))));
        return new Scope(included, excluded);
    }

    /// <summary>What both a policy and this machine's own configuration say, and what else the policy names.</summary>
    public static Scope Within(Policy policy, Scope local)
    {
        var asked = policy.ToScope();
        return new Scope(
            asked.Include.Where(key => local.Include.Any(key.IsUnder)).Concat(local.Include.Where(key => asked.Include.Any(key.IsUnder))),
            asked.Exclude.Concat(local.Exclude),
            asked.Parsed,
            asked.Sysctls);
    }

    /// <summary>The agent's own state, where it lies below the root: every scan writes to it, and would find its own writes.</summary>
    public static IReadOnlyList<string> Own(AgentOptions options)
    {
        var relative = Path.GetRelativePath(options.Root, options.StateDirectory);
        return relative == ".." || relative.StartsWith("../", StringComparison.Ordinal) ? [] : ["/" + relative];
    }
}
