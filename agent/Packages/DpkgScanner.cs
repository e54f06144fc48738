using System.Text;
using Microsoft.Win32.SafeHandles;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>The packages that dpkg has a record of below a root.</summary>
/// <remarks>
/// The entries carry the stamp of the status file itself: when it is the same as last time they are taken over without parsing.
/// A file with a mistake gives no stamp, so it is looked at again.
/// </remarks>
internal sealed class DpkgScanner(string root, TimeProvider clock) : IScanner
{
    private const string Database = "var/lib/dpkg/status";

    private static readonly EntryKey Prefix = EntryKey.Of("dpkg");

    public Scanner Identity { get; } = new(EntryKind.Package, "dpkg", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        var takenAt = (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        var errno = Open(out var file, out var status);
        if (Errno.IsGone(errno))
            return false;

        using (file)
        {
            if (errno != 0)
                pass.Gap(Prefix, $"/{Database} can't be read: {Errno.Text(errno)}");
            else if (IsUnchanged(pass.Previous, FileStamp.Of(status)))
                TakeOver(pass);
            else
                Parse(pass, file!, FileStamp.Of(status, takenAt));
        }

        return true;
    }

    /// <summary>A root may be somebody else's image: its links lead nowhere outside it, so none is followed.</summary>
    private int Open(out SafeFileHandle? file, out FileStatus status)
    {
        file = null;
        status = default;
        var errno = OpenFile.Root([.. Encoding.UTF8.GetBytes(root), 0], out var directory);
        foreach (var component in Database.Split('/'))
        {
            if (errno != 0)
                return errno;

            byte[] name = [.. Encoding.UTF8.GetBytes(component), 0];
            errno = component == "status"
                ? OpenFile.Regular(directory, name, out var next)
                : OpenFile.Directory(directory, name, out next);
            OpenFile.Close(directory);
            directory = next;
        }

        if (errno != 0)
            return errno;

        file = new SafeFileHandle(directory, ownsHandle: true);
        errno = FileStatus.Of(directory, out status);
        return errno == 0 && status.Type != FileType.File ? Errno.Invalid : errno;
    }

    private static bool IsUnchanged(IPreviousEntries? previous, FileStamp stamp) =>
        previous is not null && previous.MoveNext() && previous.Stamp == stamp;

    private static void TakeOver(ScanPass pass)
    {
        var previous = pass.Previous!;
        do
            pass.Entry(previous.Key, previous.Value, previous.Stamp);
        while (previous.MoveNext());
    }

    private static void Parse(ScanPass pass, SafeFileHandle file, FileStamp stamp)
    {
        DpkgStatus database;
        try
        {
            using var stream = new FileStream(file, FileAccess.Read, bufferSize: 0);
            database = DpkgStatus.Parse(stream);
        }
        catch (IOException e)
        {
            pass.Gap(Prefix, $"/{Database} can't be read: {e.Message}");
            return;
        }

        if (database.Mistake is { } mistake)
            pass.Gap(Prefix, $"/{Database} is broken: {mistake}");

        foreach (var package in database.Packages)
            pass.Entry(package.Key.Bytes, package.Fingerprint.Encode(), database.Mistake is null ? stamp : FileStamp.None);
    }
}
