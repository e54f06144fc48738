using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>
/// The files of dpkg's packages: <c>info/PACKAGE.list</c> names them, <c>info/PACKAGE.md5sums</c> has the digests of their contents
/// but for conffiles, whose are in the status file.
/// </summary>
internal sealed class DpkgFiles(string root) : IPackageFiles
{
    private const int Md5Length = 16;

    public string Manager => "dpkg";

    public Digest? State()
    {
        if (DpkgDatabase.Open(root, out var database) != 0)
            return null;
        using (database)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var folder in (ReadOnlySpan<string>)["info", "updates"])
            {
                if (database!.Tree.Names(database.Child(folder).Bytes, out var names) != 0)
                    continue;
                foreach (var name in names)
                {
                    if (folder != "info" || name.AsSpan().EndsWith(".list"u8) || name.AsSpan().EndsWith(".md5sums"u8))
                        Append(hash, database.Tree, database.Child(folder).Child(name));
                }
            }

            Append(hash, database!.Tree, database.Child("status"));
            Append(hash, database.Tree, database.Child("diversions"));
            return new Digest(hash.GetHashAndReset());
        }
    }

    public void Read(Predicate<EntryKey> wanted, Action<PackageFile> file, Action<string> mistake, CancellationToken cancellation)
    {
        var errno = DpkgDatabase.Open(root, out var database);
        if (errno != 0)
        {
            mistake($"{DpkgDatabase.StatusFile} can't be read: {Errno.Text(errno)}");
            return;
        }

        using (database)
        {
            try
            {
                var status = database!.Read();
                if (status.Mistake is { } broken)
                    mistake($"{DpkgDatabase.StatusFile} is broken: {broken}");

                using var stream = database.OpenFile(database.Child("diversions"), out _);
                var diversions = PackageDatabaseException.Instead(() => DpkgDiversions.Parse(stream ?? Stream.Null));
                foreach (var package in status.Packages.Where(package => wanted(package.Key)))
                    Read(database, package, diversions, file, mistake, cancellation);
            }
            catch (PackageDatabaseException e)
            {
                mistake($"dpkg's database can't be read: {e.Message}");
            }
        }
    }

    private static void Read(
        DpkgDatabase database, DpkgPackage package, DpkgDiversions diversions, Action<PackageFile> file, Action<string> mistake, CancellationToken cancellation)
    {
        using var list = Open(database, package, ".list");
        if (list is null)
        {
            // Until its first unpacking has come so far there is none.
            if (!package.Status.Bytes.EndsWith(" half-installed"u8))
                mistake($"/var/lib/dpkg/info/{package.Name}.list is missing");
            return;
        }

        var conffiles = new Dictionary<ByteText, ByteText>();
        foreach (var conffile in package.Conffiles)
            conffiles.TryAdd(conffile.Path, conffile.Md5);
        var digests = PackageDatabaseException.Instead(() => Digests(database, package));
        var lines = new LineReader(list);
        while (PackageDatabaseException.Instead(() => lines.Next(out var line) ? new ByteText(line) : (ByteText?)null) is { } listed)
        {
            cancellation.ThrowIfCancellationRequested();
            if (listed.Bytes.IsEmpty)
                continue;
            var place = diversions.Place(listed, package.Name);
            if (database.Paths.Of(place.Bytes) is not { } path || path.Length > EntryKey.MaxLength)
            {
                mistake($"/var/lib/dpkg/info/{package.Name}.list names '{listed}', which is no path");
                continue;
            }

            var isConffile = conffiles.TryGetValue(listed, out var md5);
            PackageDigest? digest = null;
            if (listed.Bytes is [(byte)'/', .. var name] && digests.TryGetValue(NameOf(name), out var known))
                digest = Md5(known);
            else if (isConffile)
                digest = PackageDigest.Parse("MD5", Md5Length, md5.Bytes);
            file(new PackageFile(package.Key, path)
            {
                ListedAs = PathText.IsOf(listed.Bytes, path) ? null : listed,
                IsConffile = isConffile,
                Type = digest is null ? null : FileType.File,
                Digest = digest,
            });
        }
    }

    /// <remarks>Some packages have 50,000 files: of each no more is kept than 32 bytes, and no object.</remarks>
    private static Dictionary<UInt128, UInt128> Digests(DpkgDatabase database, DpkgPackage package)
    {
        var digests = new Dictionary<UInt128, UInt128>();
        using var stream = Open(database, package, ".md5sums");
        var lines = new LineReader(stream ?? Stream.Null);
        Span<byte> digest = stackalloc byte[Md5Length];
        while (lines.Next(out var line))
        {
            // 32 digits, two spaces, the path without its slash.
            if (line.Length > 2 * Md5Length + 2 && Convert.FromHexString(line[..(2 * Md5Length)], digest, out _, out _) == OperationStatus.Done)
                digests[NameOf(line[(2 * Md5Length + 2)..])] = BinaryPrimitives.ReadUInt128BigEndian(digest);
        }

        return digests;
    }

    /// <summary>Stands for a path: half of a SHA-256, of which no two are found that are equal.</summary>
    private static UInt128 NameOf(ReadOnlySpan<byte> path)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(path, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private static PackageDigest Md5(UInt128 digest)
    {
        Span<byte> bytes = stackalloc byte[Md5Length];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, digest);
        return new PackageDigest("MD5", new ByteText(bytes));
    }

    /// <summary>What may be installed for several architectures has its own in the files' names; very old databases have none.</summary>
    private static FileStream? Open(DpkgDatabase database, DpkgPackage package, string suffix)
    {
        var end = Encoding.ASCII.GetBytes(suffix);
        var info = database.Child("info");
        return (package.IsMultiArchSame ? database.OpenFile(info.Child([.. package.Name.Bytes, (byte)':', .. package.Architecture.Bytes, .. end]), out _) : null)
            ?? database.OpenFile(info.Child([.. package.Name.Bytes, .. end]), out _);
    }

    private static void Append(IncrementalHash hash, RootedTree tree, EntryKey key)
    {
        var stamp = new byte[FileStamp.Length];
        if (tree.Status(key.Bytes, out var status) == 0)
            FileStamp.Of(status).Write(stamp);
        hash.AppendData(key.Bytes);
        hash.AppendData(stamp);
    }
}
