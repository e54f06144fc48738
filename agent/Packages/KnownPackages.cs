using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>What the look before this one saw of one package manager.</summary>
internal static class KnownPackages
{
    /// <summary>Hands the previous entries out again when they were made from a database with this stamp.</summary>
    /// <returns>False when there are none, or they are of another state.</returns>
    public static bool TakeOver(ScanPass pass, EntryKey prefix, FileStamp stamp)
    {
        if (stamp.IsNone || pass.Previous is not { } previous || !previous.MoveTo(prefix.Bytes)
            || !EntryKey.IsUnder(previous.Key, prefix.Bytes) || previous.Stamp != stamp)
            return false;

        do
            pass.Entry(previous.Key, previous.Value, previous.Stamp);
        while (previous.MoveNext() && EntryKey.IsUnder(previous.Key, prefix.Bytes));
        return true;
    }
}
