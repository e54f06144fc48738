using System.Text;
using Microsoft.Win32.SafeHandles;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>dpkg's database below a root: its status file, and the journal that overrides it until a transaction has ended.</summary>
/// <remarks>
/// While dpkg runs it writes each change of a package to <c>updates/NNNN</c>; at the end it writes a new status file, moves it into
/// place and removes the journal. A run that was killed leaves the journal, and the next one begins with it.
/// </remarks>
internal sealed class DpkgDatabase : IDisposable
{
    public const string StatusFile = "/var/lib/dpkg/status";

    private const int Tries = 3;

    // A status file of all Debian is 100 MB, and the lists of a large machine are; an image's sparse file may be of any size.
    private const ulong MaxFileBytes = 128UL << 20, MaxBytes = 2UL << 30;

    private readonly EntryKey _directory;
    private SafeFileHandle _status;
    private FileStatus _opened;
    private ulong _bytes;

    private DpkgDatabase(RootedTree tree, RealPaths paths, EntryKey directory, SafeFileHandle status, in FileStatus opened)
    {
        Tree = tree;
        Paths = paths;
        _directory = directory;
        _status = status;
        _opened = opened;
    }

    public RootedTree Tree { get; }

    public RealPaths Paths { get; }

    /// <summary>Of the status file as it was opened. Says nothing while there is a journal.</summary>
    public FileStatus Status => _opened;

    /// <returns>0 or the errno that says why there is no status file to read.</returns>
    public static int Open(string root, out DpkgDatabase? database)
    {
        database = null;
        var errno = RootedTree.Open(root, out var tree);
        if (errno != 0)
            return errno;

        var paths = new RealPaths(tree!);
        var key = paths.Of("/var/lib/dpkg/status"u8)!.Value;
        errno = tree!.File(key.Bytes, out var file, out var status);
        if (errno == 0)
            database = new DpkgDatabase(tree, paths, new EntryKey(key.Bytes[..key.Bytes.LastIndexOf(EntryKey.Separator)]), file!, status);
        else
            tree.Dispose();
        return errno;
    }

    /// <summary>Whether a transaction is open, or was broken off.</summary>
    public bool HasJournal() => Journal() is not [];

    /// <exception cref="PackageDatabaseException">Something can't be read.</exception>
    public DpkgStatus Read()
    {
        for (var attempt = 1; ; attempt++)
        {
            var updates = new List<(string Name, Stream Stream)>();
            try
            {
                foreach (var name in Journal())
                {
                    if (OpenFile(Child("updates", name), out _) is { } update)
                        updates.Add(("updates/" + name, update));
                }

                Spend(StatusFile, _opened);
                using var stream = new FileStream(_status, FileAccess.Read, bufferSize: 0);
                var status = PackageDatabaseException.Instead(() => DpkgStatus.Parse(stream, updates));

                // The journal goes only after another status file came: as long as this one is in place the two belong together.
                if (Tree.Status(Child("status").Bytes, out var now) == 0 && now.Inode == _opened.Inode && now.Device == _opened.Device)
                    return status;
            }
            finally
            {
                updates.ForEach(update => update.Stream.Dispose());
            }

            if (attempt == Tries)
                throw new PackageDatabaseException("it kept changing");
            var errno = Tree.File(Child("status").Bytes, out var next, out _opened);
            if (errno != 0)
                throw new PackageDatabaseException(Errno.Text(errno));
            _status = next!;
        }
    }

    /// <summary>Key of a file of the database, below the root.</summary>
    public EntryKey Child(params ReadOnlySpan<string> names)
    {
        var key = _directory;
        foreach (var name in names)
            key = key.Child(Encoding.UTF8.GetBytes(name));
        return key;
    }

    /// <returns>Null when it is not there.</returns>
    /// <exception cref="PackageDatabaseException">It can't be read.</exception>
    public FileStream? OpenFile(EntryKey key, out FileStatus status)
    {
        var errno = Tree.File(key.Bytes, out var file, out status);
        if (Errno.IsGone(errno))
            return null;
        if (errno != 0)
            throw new PackageDatabaseException($"{KeyText.Format(EntryKind.File, key.Bytes)}: {Errno.Text(errno)}");
        var stream = new FileStream(file!, FileAccess.Read, bufferSize: 0);
        try
        {
            Spend(KeyText.Format(EntryKind.File, key.Bytes), status);
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <exception cref="PackageDatabaseException">It is larger than any real one, or all of them are.</exception>
    private void Spend(string name, in FileStatus status)
    {
        if (status.Size > MaxFileBytes)
            throw new PackageDatabaseException($"{name}: it has more than {MaxFileBytes >> 20} MiB");
        _bytes += status.Size;
        if (_bytes > MaxBytes)
            throw new PackageDatabaseException($"its files have more than {MaxBytes >> 30} GiB");
    }

    public void Dispose()
    {
        _status.Dispose();
        Tree.Dispose();
    }

    /// <summary>Names made of digits alone, in their order; dpkg gives all of them one length.</summary>
    private List<string> Journal()
    {
        var errno = Tree.Names(Child("updates").Bytes, out var names);
        if (errno != 0 && !Errno.IsGone(errno))
            throw new PackageDatabaseException($"updates: {Errno.Text(errno)}");

        var journal = new List<string>();
        foreach (var name in names)
        {
            if (!name.AsSpan().ContainsAnyExceptInRange((byte)'0', (byte)'9'))
                journal.Add(Encoding.ASCII.GetString(name));
        }

        return journal;
    }
}
