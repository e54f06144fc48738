using System.IO.Enumeration;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>
/// How many bytes a scan will read, about: counted beside it, so that a person who waits can be told how long. Files of many
/// names count for each of them.
/// </summary>
internal static class TreeSize
{
    /// <exception cref="OperationCanceledException">The scan was done first.</exception>
    public static long Count(string root, Scope scope, CancellationToken cancellation)
    {
        var mounts = MountPoints();
        var files = new FileSystemEnumerable<long>(
            root,
            (ref FileSystemEntry entry) => entry.Length,
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = 0 })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                !entry.IsDirectory && (entry.Attributes & (FileAttributes.ReparsePoint | FileAttributes.Device)) == 0,
            ShouldRecursePredicate = (ref FileSystemEntry entry) =>
            {
                cancellation.ThrowIfCancellationRequested();
                var path = entry.ToFullPath();
                return (entry.Attributes & FileAttributes.ReparsePoint) == 0
                    && !mounts.Contains(path)
                    && scope.Covers(EntryKey.OfPath(path[(root == "/" ? 0 : root.Length)..]).Bytes);
            },
        };
        return files.Sum();
    }

    private static HashSet<string> MountPoints() =>
        [.. File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')).Where(parts => parts.Length > 1).Select(parts => parts[1])];
}
