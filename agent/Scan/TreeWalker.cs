using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>
/// Walks directories by descriptor, names sorted by byte, so that candidates come in key order. Never follows a link, and
/// leaves the filesystem an included path lies on only if the rules say so.
/// </summary>
internal sealed class TreeWalker(FileRules rules, ScanPass pass, BatchRing ring, TimeProvider clock, CancellationToken cancellation)
{
    private const int Tries = 3;

    private readonly byte[] _records = new byte[64 * 1024];
    private readonly byte[] _key = new byte[EntryKey.MaxLength];
    private readonly Stack<Level> _levels = new();
    private int _nextDirty;

    public void Walk(DirectoryHandle root)
    {
        try
        {
            if (rules.Parts is { } parts)
            {
                foreach (var part in parts)
                    WalkFrom(root, part);
                return;
            }

            EntryKey? last = null;
            foreach (var include in rules.Scope.Include)
            {
                // What lies below another included path is met on the way.
                if (last is { } above && include.IsUnder(above))
                    continue;
                last = include;
                WalkFrom(root, new LookPart(include, IsDeep: true));
            }
        }
        finally
        {
            while (_levels.TryPop(out var level))
                level.Leave();
        }
    }

    private void WalkFrom(DirectoryHandle root, LookPart part)
    {
        if (part.Key.IsRoot)
        {
            Visit(root, ".\0"u8.ToArray(), 0, null, part.IsDeep);
        }
        else if (OpenParent(root, part.Key, out var name) is { } parent)
        {
            // A part whose way leads through another filesystem is no part of what is scanned.
            var device = DeviceOf(parent);
            part.Key.Bytes.CopyTo(_key);
            if (rules.Parts is null)
                Visit(parent, name, part.Key.Length, null, part.IsDeep);
            else if (device is { } known && rules.Filesystems.Has(known))
                Visit(parent, name, part.Key.Length, device, part.IsDeep);
            parent.Release();
        }

        while (_levels.TryPeek(out var level))
        {
            if (level.Names.MoveNext())
                VisitName(level);
            else
                _levels.Pop().Leave();
        }
    }

    private static ulong? DeviceOf(DirectoryHandle directory) =>
        FileStatus.Of(directory.Descriptor, out var status) == 0 ? status.Device : null;

    /// <summary>Opens the directory an included path lies in.</summary>
    /// <returns>Null when there is no such path, or no way to it that follows no link.</returns>
    private DirectoryHandle? OpenParent(DirectoryHandle root, EntryKey include, out byte[] name)
    {
        var errno = PathFromRoot.OpenParent(root.Descriptor, include, out var directory, out name);
        if (errno == 0)
            return new DirectoryHandle(directory);

        var isLink = directory >= 0 && FileStatus.Of(directory, name, out var status) == 0 && status.Type == FileType.Symlink;
        if (isLink && rules.Parts is null)
            pass.Gap(include, "reached through a symbolic link: include the path it points to");
        else if (!isLink && !Errno.IsGone(errno))
            pass.Gap(include, Errno.Text(errno));
        PathFromRoot.CloseIfOpen(directory);
        return null;
    }

    private void VisitName(Level level)
    {
        cancellation.ThrowIfCancellationRequested();
        var name = level.Names.Current;

        // A name that was moved within its directory while it was read may come twice.
        if (name.SequenceEqual(level.LastName.Span))
            return;
        level.LastName = level.Names.CurrentWithEnd[..^1];

        var start = level.KeyLength == 0 ? 0 : level.KeyLength + 1;
        if (start + name.Length > EntryKey.MaxLength)
        {
            pass.Gap(new EntryKey(_key.AsSpan(0, level.KeyLength)), $"a path longer than {EntryKey.MaxLength} bytes");
            return;
        }

        if (start > 0)
            _key[level.KeyLength] = EntryKey.Separator;
        name.CopyTo(_key.AsSpan(start));
        var length = start + name.Length;
        if (level.Names.CurrentType is NameType.Directory or NameType.Unknown)
            Visit(level.Directory, level.Names.CurrentWithEnd, length, level.Device, isDeep: true);
        else if (rules.Scope.Covers(_key.AsSpan(0, length)))
            Emit(_key.AsSpan(0, length), level.Directory, level.Names.CurrentWithEnd, status: null, level.Names.CurrentType == NameType.File);
    }

    /// <param name="name">Ends with 0x00.</param>
    /// <param name="device">Filesystem of the directory; null for an included path, which may lie on any.</param>
    /// <param name="isDeep">Whether what lies below is looked at too.</param>
    private void Visit(DirectoryHandle directory, ReadOnlyMemory<byte> name, int keyLength, ulong? device, bool isDeep)
    {
        var key = _key.AsSpan(0, keyLength);
        if (!rules.Scope.Covers(key))
            return;

        for (var attempt = 1; attempt <= Tries; attempt++)
        {
            var takenAt = clock.GetUtcNow().ToUnixNanoseconds();
            var errno = FileStatus.Of(directory.Descriptor, name.Span, out var status);
            if (Errno.IsGone(errno))
                return;

            if (Errno.IsDenied(errno))
            {
                EmitUnreadable(key, new Fingerprint());
                return;
            }

            if (errno != 0)
            {
                pass.Gap(new EntryKey(key), Errno.Text(errno));
                return;
            }

            if (status.Type != FileType.Directory || !isDeep)
            {
                if (device is null)
                    rules.Filesystems.Enter(status.Device, directory.Descriptor, key);
                Emit(key, directory, name, new SeenStatus(status, takenAt), status.Type == FileType.File);
                return;
            }

            if (VisitDirectory(directory, name, keyLength, status, takenAt, device))
                return;
        }

        pass.Gap(new EntryKey(key), "kept changing between directory and something else");
    }

    /// <returns>False when it is no directory any more, or another one.</returns>
    private bool VisitDirectory(
        DirectoryHandle parent, ReadOnlyMemory<byte> name, int keyLength, in FileStatus status, long takenAt, ulong? device)
    {
        var key = _key.AsSpan(0, keyLength);
        var isMount = device is { } expected && status.Device != expected && !LeadsToInclude(key);
        if (isMount && rules.OneFilesystem)
        {
            Emit(key, parent, name, new SeenStatus(status, takenAt), isFile: false);
            pass.Gap(new EntryKey(key), "other filesystem");
            return true;
        }

        var errno = OpenFile.Directory(parent.Descriptor, name.Span, out var descriptor);
        if (Errno.IsGone(errno) || errno == Errno.Loop)
            return false;

        if (errno != 0)
        {
            if (Errno.IsDenied(errno))
                EmitUnreadable(key, FileLook.Attributes(status));
            else
                Emit(key, parent, name, new SeenStatus(status, takenAt), isFile: false);
            pass.Gap(new EntryKey(key), Errno.Text(errno));
            return true;
        }

        var directory = new DirectoryHandle(descriptor);
        if (FileStatus.Of(descriptor, out var opened) != 0 || opened.Inode != status.Inode || opened.Device != status.Device)
        {
            directory.Release();
            return false;
        }

        Emit(key, parent, name, new SeenStatus(status, takenAt), isFile: false);
        if (isMount && !FilesystemType.IsLocal(descriptor))
        {
            pass.Gap(new EntryKey(key), "a filesystem of another machine, or of the kernel");
            directory.Release();
            return true;
        }

        rules.Filesystems.Enter(status.Device, descriptor, key);
        rules.Filesystems.Read(status.Device, descriptor, key);
        errno = DirectoryNames.Read(descriptor, _records, rules.SpillDirectory, out var names);
        if (errno != 0 && !Errno.IsGone(errno))
        {
            pass.Gap(new EntryKey(key), Errno.Text(errno));
            names.Dispose();
            directory.Release();
            return true;
        }

        _levels.Push(new Level(directory, names, keyLength, status.Device));
        return true;
    }

    /// <summary>Hands a name to who looks at it. What is no directory is not even asked for its status here: that keeps more than one core busy.</summary>
    /// <param name="status">Null: not taken.</param>
    /// <param name="isFile">Whether it is a regular file, as far as is known.</param>
    private void Emit(ReadOnlySpan<byte> key, DirectoryHandle directory, ReadOnlyMemory<byte> name, SeenStatus? status, bool isFile)
    {
        var candidate = ring.Next(cancellation);
        candidate.Set(key, directory, name, status, isFile);
        if (!IsDirty(key) && pass.Previous is { } previous && previous.TryFind(key))
            candidate.SetPrevious(previous.Value, previous.Stamp);
    }

    /// <summary>Both the walk and the dirty keys go in key order.</summary>
    private bool IsDirty(ReadOnlySpan<byte> key)
    {
        while (_nextDirty < pass.Dirty.Count)
        {
            var order = pass.Dirty[_nextDirty].Bytes.SequenceCompareTo(key);
            if (order >= 0)
                return order == 0;
            _nextDirty++;
        }

        return false;
    }

    private void EmitUnreadable(ReadOnlySpan<byte> key, Fingerprint attributes) =>
        ring.Next(cancellation).SetKnown(key, (attributes with { State = EntryState.Unreadable }).Encode());

    /// <summary>Another filesystem is entered when an included path is there, or lies behind it.</summary>
    private bool LeadsToInclude(ReadOnlySpan<byte> key)
    {
        foreach (var include in rules.Scope.Include)
        {
            if (EntryKey.IsUnder(include.Bytes, key))
                return true;
        }

        return false;
    }

    /// <summary>A directory being walked.</summary>
    private sealed class Level(DirectoryHandle directory, DirectoryNames names, int keyLength, ulong device)
    {
        public DirectoryHandle Directory { get; } = directory;

        public DirectoryNames Names { get; } = names;

        public int KeyLength { get; } = keyLength;

        public ulong Device { get; } = device;

        public ReadOnlyMemory<byte> LastName { get; set; }

        public void Leave()
        {
            Names.Dispose();
            Directory.Release();
        }
    }
}
