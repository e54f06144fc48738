using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>The packages that dpkg has a record of below a root.</summary>
/// <remarks>
/// The entries carry the stamp of the status file itself: when it is the same as last time they are taken over without parsing.
/// A file with a mistake, or one that a journal overrides, gives no stamp, so it is looked at again.
/// </remarks>
internal sealed class DpkgScanner(string root, TimeProvider clock) : IScanner
{
    private static readonly EntryKey Prefix = EntryKey.Of("dpkg");

    public Scanner Identity { get; } = new(EntryKind.Package, "dpkg", 1, 1);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        var takenAt = clock.GetUtcNow().ToUnixNanoseconds();
        var errno = DpkgDatabase.Open(root, out var database);
        if (Errno.IsGone(errno))
            return false;

        using (database)
        {
            if (errno != 0)
                pass.Gap(Prefix, $"{DpkgDatabase.StatusFile} can't be read: {Errno.Text(errno)}");
            else
                Look(pass, database!, takenAt);
        }

        return true;
    }

    private static void Look(ScanPass pass, DpkgDatabase database, long takenAt)
    {
        DpkgStatus status;
        bool hasJournal;
        try
        {
            hasJournal = database.HasJournal();
            if (!hasJournal && KnownPackages.TakeOver(pass, Prefix, FileStamp.Of(database.Status)))
                return;
            status = database.Read();
        }
        catch (PackageDatabaseException e)
        {
            pass.Gap(Prefix, $"{DpkgDatabase.StatusFile} can't be read: {e.Message}");
            return;
        }

        if (status.Mistake is { } mistake)
            pass.Gap(Prefix, $"{DpkgDatabase.StatusFile} is broken: {mistake}");

        var stamp = hasJournal || status.Mistake is not null ? FileStamp.None : FileStamp.Of(database.Status, takenAt);
        foreach (var package in status.Packages)
            pass.Entry(package.Key.Bytes, package.Fingerprint.Encode(), stamp);
    }
}
