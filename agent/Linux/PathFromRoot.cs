using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Linux;

/// <summary>Goes from a directory to a key below it, one component after the other, following no link.</summary>
internal static class PathFromRoot
{
    /// <param name="directory">The directory that holds the last component; the caller closes it.</param>
    /// <param name="name">The last component, ended by 0x00.</param>
    /// <returns>0 or an errno: ENOENT, ENOTDIR or ELOOP (a link on the way), EACCES …</returns>
    public static int OpenParent(int root, EntryKey key, out int directory, out byte[] name)
    {
        var rest = key.Bytes;
        var errno = OpenFile.Directory(root, ".\0"u8, out directory);
        while (true)
        {
            var end = rest.IndexOf(EntryKey.Separator);
            name = key.IsRoot ? [(byte)'.', 0] : [.. end < 0 ? rest : rest[..end], 0];
            if (end < 0 || errno != 0)
                return errno;

            rest = rest[(end + 1)..];
            errno = OpenFile.Directory(directory, name, out var next);
            OpenFile.Close(directory);
            directory = next;
        }
    }

    /// <summary>A regular file for reading.</summary>
    public static int OpenRegular(int root, EntryKey key, out int descriptor)
    {
        descriptor = -1;
        var errno = OpenParent(root, key, out var directory, out var name);
        if (errno != 0)
            return errno;
        errno = OpenFile.Regular(directory, name, out descriptor);
        OpenFile.Close(directory);
        return errno;
    }
}
