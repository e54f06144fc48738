using System.Security.Cryptography;
using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>rpm's database below a root, of any backend: sqlite, ndb or Berkeley DB.</summary>
/// <remarks>
/// It is read by the <c>rpm</c> program of this machine, from a copy: rpm creates files beside a database that it only reads, a
/// mounted image is not ours to write to, and no link in it may lead rpm elsewhere. librpm is never loaded into this program:
/// that has damaged databases of others.
/// </remarks>
internal sealed class RpmDatabase : IDisposable
{
    // In this order: where the first exists the others are links to it, or left over.
    private static readonly string[] Places = ["/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"];

    private const int MaxFiles = 64;

    private readonly EntryKey _directory;

    private RpmDatabase(RootedTree tree, EntryKey directory, string place)
    {
        Tree = tree;
        _directory = directory;
        Place = place;
    }

    /// <summary>What holds the packages in each kind of database; the other files can be made from these.</summary>
    public static IReadOnlyList<string> Stores { get; } = ["rpmdb.sqlite", "Packages.db", "Packages"];

    public RootedTree Tree { get; }

    /// <summary>Below the root, for people.</summary>
    public string Place { get; }

    /// <returns>0, or an errno that says why there is no database.</returns>
    public static int Open(string root, out RpmDatabase? database)
    {
        database = null;
        var errno = RootedTree.Open(root, out var tree);
        if (errno != 0)
            return errno;

        var paths = new RealPaths(tree!);
        foreach (var place in Places)
        {
            foreach (var store in Stores)
            {
                var key = paths.Of(Encoding.UTF8.GetBytes($"{place}/{store}"))!.Value;
                errno = tree!.Status(key.Bytes, out _);
                if (Errno.IsGone(errno))
                    continue;
                if (errno == 0)
                    database = new RpmDatabase(tree, new EntryKey(key.Bytes[..key.Bytes.LastIndexOf(EntryKey.Separator)]), place);
                else
                    tree.Dispose();
                return errno;
            }
        }

        tree!.Dispose();
        return Errno.NoEntry;
    }

    /// <summary>One stamp for all files of the database; none when one of them changed so shortly before that another change would not show.</summary>
    /// <param name="takenAt">Nanoseconds since 1970.</param>
    /// <returns>0 or an errno.</returns>
    public int Stamp(long takenAt, out FileStamp stamp)
    {
        stamp = FileStamp.None;
        var errno = Files(out var files);
        if (errno != 0)
            return errno;

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = new byte[FileStamp.Length];
        foreach (var (key, status) in files)
        {
            if (FileStamp.Of(status, takenAt).IsNone)
                return 0;
            FileStamp.Of(status).Write(bytes);
            hash.AppendData(key.Bytes);
            hash.AppendData(bytes);
        }

        hash.GetHashAndReset().CopyTo(bytes, 0);
        stamp = FileStamp.Read(bytes);
        return 0;
    }

    /// <summary>Copies the database as it is in one state.</summary>
    /// <param name="directory">Where the copy may be.</param>
    /// <exception cref="IOException">It can't be read or copied, or changed meanwhile.</exception>
    /// <exception cref="UnauthorizedAccessException">The copy may not be there.</exception>
    public RpmSnapshot Copy(string directory, DateTimeOffset now, CancellationToken cancellation)
    {
        var errno = Files(out var files);
        var snapshot = new RpmSnapshot(directory, now);
        try
        {
            if (errno != 0)
                throw new IOException(Errno.Text(errno));
            foreach (var (key, status) in files)
                snapshot.Add(Tree, key, status, cancellation);

            errno = Files(out var after);
            if (errno != 0 || !after.SequenceEqual(files))
                throw new IOException("it changed while it was read");
            return snapshot;
        }
        catch
        {
            snapshot.Dispose();
            throw;
        }
    }

    public void Dispose() => Tree.Dispose();

    /// <summary>Its regular files that hold something, without the ones that only coordinate who uses it.</summary>
    private int Files(out List<(EntryKey Key, FileStatus Status)> files)
    {
        files = [];
        var errno = Tree.Names(_directory.Bytes, out var names);
        if (errno != 0)
            return errno;

        foreach (ReadOnlySpan<byte> name in names)
        {
            if (name.StartsWith("__db"u8) || name.StartsWith("."u8) || name.EndsWith("-shm"u8))
                continue;
            var key = _directory.Child(name);
            if (files.Count < MaxFiles && Tree.Status(key.Bytes, out var status) == 0 && status is { Type: FileType.File, Size: > 0 })
                files.Add((key, status));
        }

        return 0;
    }
}
