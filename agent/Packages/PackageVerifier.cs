using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>Compares files with what their packages say of them. Reads no file through a link, and reports no digest of a file that changed while it was read.</summary>
internal sealed class PackageVerifier(RootedTree tree, TimeProvider clock)
{
    private const int Tries = 3;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly RealPaths _paths = new(tree);
    private readonly AccountNames _users = AccountNames.Read(tree, "passwd");
    private readonly AccountNames _groups = AccountNames.Read(tree, "group");

    /// <returns>Null when the file is as its package has it, as far as the package says.</returns>
    public PackageFinding? Check(PackageFile file, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var errno = Status(file, out var status);
            if (Errno.IsGone(errno) || errno == Errno.Loop)
                return file.MayBeMissing ? null : new PackageFinding(file, PackageChange.Missing);
            if (errno != 0)
                return Unreadable(file, errno);

            var (differences, actual) = Attributes(file, status);
            if (file.Digest is not { } expected || status.Type != FileType.File)
                return Of(file, differences, actual);

            errno = Content(file.Path, status, expected.Algorithm, out var digest, cancellation);
            if (errno == 0 && digest is { } found)
                return Of(file, differences | (found == expected ? 0 : PackageDifferences.Content), actual with { Digest = found });
            if (errno != 0 && !Errno.IsGone(errno) && errno != Errno.Loop)
                return Unreadable(file, errno);
            if (attempt == Tries)
                return new PackageFinding(file, PackageChange.Unreadable, Reason: "it kept changing while it was read");
        }
    }

    /// <summary>Where a package has a directory and root a link to one in its place, that one counts, as for rpm.</summary>
    private int Status(PackageFile file, out FileStatus status)
    {
        var errno = tree.Status(file.Path.Bytes, out status);
        if (errno == 0 && file.Type == FileType.Directory && status is { Type: FileType.Symlink, Uid: 0 })
        {
            byte[] path = [.. file.Path.Bytes, EntryKey.Separator, (byte)'x'];
            path.AsSpan().Replace(EntryKey.Separator, (byte)'/');
            var behind = _paths.Of(path)!.Value.Bytes;
            if (tree.Status(behind[..Math.Max(behind.LastIndexOf(EntryKey.Separator), 0)], out var target) == 0 && target.Type == FileType.Directory)
                status = target;
        }

        return errno;
    }

    private (PackageDifferences Differences, PackageFile Actual) Attributes(PackageFile file, in FileStatus status)
    {
        var differences = PackageDifferences.None;
        var actual = new PackageFile(file.Package, file.Path)
        {
            Type = status.Type,
            Mode = status.Type == FileType.Symlink ? null : status.Mode,
            User = _users.Of(status.Uid),
            Group = _groups.Of(status.Gid),
            Size = status.Type == FileType.File ? status.Size : null,
        };
        if (file.Type is { } type && type != status.Type)
            differences |= PackageDifferences.Type;
        if (file.Mode is { } mode && status.Type != FileType.Symlink && mode != status.Mode)
            differences |= PackageDifferences.Mode;
        if (file.User is { } user && !_users.IsSame(user, status.Uid))
            differences |= PackageDifferences.User;
        if (file.Group is { } group && !_groups.IsSame(group, status.Gid))
            differences |= PackageDifferences.Group;
        if (file.Size is { } size && status.Type == FileType.File && size != status.Size)
            differences |= PackageDifferences.Size;
        if (file.Target is { } target && status.Type == FileType.Symlink && tree.Link(file.Path.Bytes, out var found) == 0)
        {
            actual = actual with { Target = new ByteText(found) };
            differences |= actual.Target == target ? 0 : PackageDifferences.Target;
        }

        return (differences, actual);
    }

    /// <param name="digest">Null when the file changed meanwhile, or is another one by now.</param>
    private int Content(EntryKey path, in FileStatus status, string algorithm, out PackageDigest? digest, CancellationToken cancellation)
    {
        digest = null;
        var errno = tree.File(path.Bytes, out var handle, out var opened);
        if (errno != 0)
            return errno;

        using (handle)
        {
            if (!opened.IsSameState(status) || !FileAtRest.Is((int)handle!.DangerousGetHandle(), opened, clock, cancellation))
                return 0;
            errno = Hash(handle!, algorithm, out var found, cancellation);
            if (errno == 0 && FileStatus.Of((int)handle!.DangerousGetHandle(), out var after) == 0 && after.IsSameState(status))
                digest = found;
            return errno;
        }
    }

    private int Hash(SafeFileHandle file, string algorithm, out PackageDigest digest, CancellationToken cancellation)
    {
        digest = default;
        using var hash = IncrementalHash.CreateHash(new HashAlgorithmName(algorithm));
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = OpenFile.Read((int)file.DangerousGetHandle(), _buffer);
            if (read < 0)
                return -read;
            if (read == 0)
                break;
            hash.AppendData(_buffer.AsSpan(0, read));
        }

        digest = new PackageDigest(algorithm, new ByteText(hash.GetHashAndReset()));
        return 0;
    }

    private static PackageFinding? Of(PackageFile file, PackageDifferences differences, PackageFile actual) =>
        differences == 0 ? null : new PackageFinding(file, PackageChange.Changed, differences, actual);

    private static PackageFinding Unreadable(PackageFile file, int errno) =>
        new(file, PackageChange.Unreadable, Reason: Errno.Text(errno));
}
