using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Transactions;

/// <summary>The entries of all packages as their databases have them now.</summary>
internal static class PackageEntries
{
    /// <param name="scanners">Of packages.</param>
    /// <param name="mistakes">Takes, for people, what could not be read.</param>
    public static Dictionary<EntryKey, Fingerprint> Read(IEnumerable<IScanner> scanners, ICollection<string> mistakes, CancellationToken cancellation)
    {
        var entries = new Dictionary<EntryKey, Fingerprint>();
        var pass = new ScanPass(
            EntryKind.Package, null, (key, value, _) => entries[new EntryKey(key)] = Fingerprint.Decode(value), new ScanProgress());
        foreach (var scanner in scanners)
            scanner.Scan(pass, cancellation);
        foreach (var gap in pass.Gaps)
            mistakes.Add(gap.Reason);
        return entries;
    }
}
