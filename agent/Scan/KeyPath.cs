using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>The way from the root to a file by its key: one directory after the other, following no link.</summary>
internal static class KeyPath
{
    /// <summary>Opens the directory that holds a file.</summary>
    /// <param name="key">Not the root's.</param>
    /// <param name="directory">The directory; when it can't be opened, the last one on the way. To be released either way.</param>
    /// <param name="name">The file's name in it, or of what could not be opened. Ends with 0x00.</param>
    /// <returns>0, or the errno of a directory on the way.</returns>
    public static int OpenParent(DirectoryHandle root, EntryKey key, out DirectoryHandle directory, out byte[] name)
    {
        directory = root.Share();
        var rest = key.Bytes;
        while (true)
        {
            var end = rest.IndexOf(EntryKey.Separator);
            name = [.. end < 0 ? rest : rest[..end], 0];
            if (end < 0)
                return 0;

            var errno = OpenFile.Directory(directory.Descriptor, name, out var next);
            if (errno != 0)
                return errno;

            rest = rest[(end + 1)..];
            directory.Release();
            directory = new DirectoryHandle(next);
        }
    }
}
