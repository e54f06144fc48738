using System.Text;
using Microsoft.Win32.SafeHandles;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Linux;

/// <summary>
/// What lies below a root that may be somebody else's image: every path is gone down component by component and no link in it is
/// followed, so none leads outside.
/// </summary>
/// <remarks>
/// Paths are keys of the file tree: components joined by 0x00. The directory used last stays open, so files asked for in key
/// order cost one open of each directory. Not for several threads.
/// </remarks>
internal sealed class RootedTree : IDisposable
{
    private readonly int _root;
    private byte[] _lastKey = [];
    private int _last = -1;

    private RootedTree(int root) => _root = root;

    /// <returns>0 or the errno of opening the root, where alone links are followed: a person named it.</returns>
    public static int Open(string root, out RootedTree? tree)
    {
        var errno = OpenFile.Root([.. Encoding.UTF8.GetBytes(root), 0], out var descriptor);
        tree = errno == 0 ? new RootedTree(descriptor) : null;
        return errno;
    }

    /// <returns>0 or an errno: ENOENT, ENOTDIR (a link or a file on the way), EACCES, EINVAL (<c>.</c> or <c>..</c> on the way) …</returns>
    public int Status(ReadOnlySpan<byte> key, out FileStatus status)
    {
        status = default;
        var errno = Parent(key, out var directory, out var name);
        return errno != 0 ? errno : FileStatus.Of(directory, name, out status);
    }

    /// <summary>Opens a regular file for reading.</summary>
    /// <returns>0 or an errno, as for <see cref="Status"/>; EINVAL also when it is no regular file, ELOOP when it is a link.</returns>
    public int File(ReadOnlySpan<byte> key, out SafeFileHandle? file, out FileStatus status)
    {
        file = null;
        status = default;
        var errno = Parent(key, out var directory, out var name);
        if (errno != 0)
            return errno;
        errno = OpenFile.Regular(directory, name, out var descriptor);
        if (errno != 0)
            return errno;

        file = new SafeFileHandle(descriptor, ownsHandle: true);
        errno = FileStatus.Of(descriptor, out status);
        if (errno == 0 && status.Type != FileType.File)
            errno = Errno.Invalid;
        if (errno != 0)
            file.Dispose();
        return errno;
    }

    /// <summary>The names in a directory, in byte order; for directories that are not too big to be held in memory.</summary>
    public int Names(ReadOnlySpan<byte> key, out List<byte[]> found)
    {
        found = [];
        var errno = Parent(key, out var parent, out var name);
        if (errno == 0)
            errno = OpenFile.Directory(parent, name, out parent);
        if (errno != 0)
            return errno;

        errno = DirectoryNames.Read(parent, new byte[32 * 1024], Path.GetTempPath(), out var names);
        OpenFile.Close(parent);
        using (names)
        {
            while (names.MoveNext())
                found.Add(names.Current.ToArray());
        }

        return errno;
    }

    public int Link(ReadOnlySpan<byte> key, out byte[] target)
    {
        target = [];
        var errno = Parent(key, out var directory, out var name);
        return errno != 0 ? errno : LinkTarget.Read(directory, name, out target);
    }

    public void Dispose()
    {
        CloseLast();
        OpenFile.Close(_root);
    }

    /// <param name="name">Ends with 0x00.</param>
    private int Parent(ReadOnlySpan<byte> key, out int directory, out byte[] name)
    {
        var end = key.LastIndexOf(EntryKey.Separator);
        var last = key[(end + 1)..];
        name = key.IsEmpty ? ".\0"u8.ToArray() : [.. last, 0];
        directory = -1;
        return !key.IsEmpty && !IsName(last) ? Errno.Invalid : Directory(key[..Math.Max(end, 0)], out directory);
    }

    /// <param name="descriptor">Of this tree; open until the next call.</param>
    private int Directory(ReadOnlySpan<byte> key, out int descriptor)
    {
        descriptor = _root;
        if (key.IsEmpty)
            return 0;

        if (_last < 0 || !key.SequenceEqual(_lastKey))
        {
            CloseLast();
            var errno = OpenDirectory(key, out _last);
            if (errno != 0)
                return errno;
            _lastKey = key.ToArray();
        }

        descriptor = _last;
        return 0;
    }

    private int OpenDirectory(ReadOnlySpan<byte> key, out int descriptor)
    {
        descriptor = -1;
        var directory = _root;
        foreach (var range in key.Split(EntryKey.Separator))
        {
            var component = key[range];
            var errno = Errno.Invalid;
            if (IsName(component))
                errno = OpenFile.Directory(directory, [.. component, 0], out descriptor);
            if (directory != _root)
                OpenFile.Close(directory);
            if (errno != 0)
            {
                descriptor = -1;
                return errno;
            }

            directory = descriptor;
        }

        return 0;
    }

    private void CloseLast()
    {
        if (_last >= 0)
            OpenFile.Close(_last);
        _last = -1;
    }

    private static bool IsName(ReadOnlySpan<byte> component) =>
        !component.IsEmpty && !component.SequenceEqual("."u8) && !component.SequenceEqual(".."u8) && !component.Contains((byte)'/');
}
