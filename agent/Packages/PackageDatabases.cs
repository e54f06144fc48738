using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>The package managers this program knows, in the order of their keys.</summary>
internal static class PackageDatabases
{
    private static readonly EntryKey[] Places =
    [
        EntryKey.OfPath("/var/lib/dpkg/status"), EntryKey.OfPath("/var/lib/dpkg/updates"), EntryKey.OfPath("/var/lib/dpkg/diversions"),
        EntryKey.OfPath("/var/lib/rpm"), EntryKey.OfPath("/usr/lib/sysimage/rpm"), EntryKey.OfPath("/usr/share/rpm"),
    ];

    /// <summary>Whether a change of this file may be one of what is installed.</summary>
    public static bool Hold(EntryKey file) => Array.Exists(Places, place => file.IsUnder(place));

    /// <summary>Where they lie, whether there or not; with the folders above, in which they come and go.</summary>
    public static IEnumerable<EntryKey> Folders =>
        Places.SelectMany(place => (EntryKey[])[new EntryKey(place.Bytes[..place.Bytes.LastIndexOf(EntryKey.Separator)]), place]).Distinct();

    public static IReadOnlyList<IPackageFiles> Files(string root, TimeProvider clock) => [new DpkgFiles(root), new RpmFiles(root, clock)];
}
