using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>The packages in rpm's database below a root, asked from the <c>rpm</c> program of this machine.</summary>
/// <remarks>
/// The entries carry one stamp of all the database's files: when it is the same as last time they are taken over and rpm is not
/// run. Where no entry can carry it (there is no package, or rpm failed) the memory does.
/// </remarks>
/// <param name="directory">Where a copy of the database may be while it is read.</param>
/// <param name="program">Path of <c>rpm</c>; null where there is none.</param>
internal sealed class RpmScanner(string root, TimeProvider clock, RpmMemory memory, string directory, string? program) : IScanner
{
    public RpmScanner(string root, TimeProvider clock, RpmMemory memory, string directory)
        : this(root, clock, memory, directory, ChildProcess.Find("rpm"))
    {
    }

    public Scanner Identity { get; } = new(EntryKind.Package, "rpm", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var errno = RpmDatabase.Open(root, out var database);
        if (Errno.IsGone(errno))
            return false;

        using (database)
        {
            var stamp = FileStamp.None;
            if (errno == 0)
                errno = database!.Stamp(now.ToUnixNanoseconds(), out stamp);
            if (errno != 0)
                pass.Gap(RpmPackage.Prefix, $"rpm's database can't be read: {Errno.Text(errno)}");
            else if (program is null)
                pass.Gap(RpmPackage.Prefix, $"there is a database in {database!.Place} and no rpm program to read it with; install rpm");
            else if (memory.Knows(stamp, now))
                Report(pass, memory.Trouble);
            else if (!KnownPackages.TakeOver(pass, RpmPackage.Prefix, stamp))
                Look(pass, database!, stamp, now, cancellation);
        }

        return true;
    }

    private void Look(ScanPass pass, RpmDatabase database, FileStamp stamp, DateTimeOffset now, CancellationToken cancellation)
    {
        var packages = Read(database, cancellation, out var trouble);
        foreach (var (key, version) in packages?.InOrder() ?? [])
            pass.Entry(key.Bytes, new Fingerprint().WithVersion(version.Bytes).Encode(), stamp);

        memory.Remember(packages is null or { IsEmpty: true } ? stamp : FileStamp.None, trouble, now);
        Report(pass, trouble);
    }

    /// <returns>Null when not all packages could be read: some of them alone prove nothing.</returns>
    private RpmPackages? Read(RpmDatabase database, CancellationToken cancellation, out string? trouble)
    {
        try
        {
            using var snapshot = database.Copy(directory, clock.GetUtcNow(), cancellation);
            var packages = RpmPackages.Read(snapshot, program!, cancellation);
            trouble = packages.Trouble;
            return trouble is null ? packages : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            trouble = EscapedText.Of(Encoding.UTF8.GetBytes(e.Message));
            return null;
        }
    }

    private static void Report(ScanPass pass, string? trouble)
    {
        if (trouble is not null)
            pass.Gap(RpmPackage.Prefix, $"rpm's database can't be read: {trouble}");
    }
}
