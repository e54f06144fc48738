using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Linux;

/// <summary>
/// Goes from a directory to a key below it, one component after the other, following no link: a root may be somebody else's
/// image, and its links lead nowhere outside it.
/// </summary>
internal static class PathFromRoot
{
    /// <param name="directory">The directory that holds the last component; when it can't be opened, the last one on the way. The caller closes it if it is not negative.</param>
    /// <param name="name">The last component, or the one that could not be opened; ended by 0x00.</param>
    /// <returns>0 or an errno: ENOENT, ENOTDIR or ELOOP (a link on the way), EACCES …</returns>
    public static int OpenParent(int root, EntryKey key, out int directory, out byte[] name)
    {
        name = [(byte)'.', 0];
        var errno = OpenFile.Directory(root, name, out directory);
        if (errno != 0)
        {
            directory = -1;
            return errno;
        }

        for (var rest = key.Bytes; !rest.IsEmpty;)
        {
            var end = rest.IndexOf(EntryKey.Separator);
            name = [.. end < 0 ? rest : rest[..end], 0];
            if (end < 0)
                break;

            errno = OpenFile.Directory(directory, name, out var next);
            if (errno != 0)
                return errno;

            rest = rest[(end + 1)..];
            OpenFile.Close(directory);
            directory = next;
        }

        return 0;
    }

    /// <summary>A regular file for reading.</summary>
    public static int OpenRegular(int root, EntryKey key, out int descriptor)
    {
        descriptor = -1;
        var errno = OpenParent(root, key, out var directory, out var name);
        if (errno == 0)
            errno = OpenFile.Regular(directory, name, out descriptor);
        CloseIfOpen(directory);
        return errno;
    }

    /// <param name="root">Followed, if it is a link: a person named it.</param>
    public static int OpenDirectory(string root, EntryKey key, out int descriptor)
    {
        descriptor = -1;
        var errno = OpenFile.Root([.. Encoding.UTF8.GetBytes(root), 0], out var start);
        if (errno != 0)
            return errno;

        errno = OpenParent(start, key, out var directory, out var name);
        if (errno == 0)
            errno = OpenFile.Directory(directory, name, out descriptor);
        CloseIfOpen(directory);
        OpenFile.Close(start);
        return errno;
    }

    public static void CloseIfOpen(int descriptor)
    {
        if (descriptor >= 0)
            OpenFile.Close(descriptor);
    }
}
