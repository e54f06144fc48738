using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>The files of rpm's packages, with all that <c>rpm --verify</c> would compare but times and capabilities.</summary>
/// <param name="program">Path of <c>rpm</c>; null where there is none.</param>
/// <param name="directory">Where a copy of the database may be while it is read.</param>
internal sealed class RpmFiles(string root, TimeProvider clock, string? program, string directory) : IPackageFiles
{
    private const string Format =
        "P " + RpmPackage.Format + " %{FILEDIGESTALGO}\n[F %{FILEMODES} %{FILEFLAGS} %{FILEVERIFYFLAGS} %{FILESTATES} %{LONGFILESIZES}"
        + " %{FILEUSERNAME:shescape} %{FILEGROUPNAME:shescape} %{FILEDIGESTS:shescape} %{FILELINKTOS:shescape} %{FILENAMES:shescape}\n]";

    public RpmFiles(string root, TimeProvider clock)
        : this(root, clock, ChildProcess.Find("rpm"), Path.GetTempPath())
    {
    }

    public string Manager => "rpm";

    public Digest? State()
    {
        if (RpmDatabase.Open(root, out var database) != 0)
            return null;
        using (database)
        {
            // What changed just now has a state of its own all the same: here it only decides whether to read again.
            if (database!.Stamp(long.MaxValue, out var stamp) != 0)
                return null;
            var bytes = new byte[FileStamp.Length];
            stamp.Write(bytes);
            return new Digest(SHA256.HashData(bytes));
        }
    }

    public void Read(Predicate<EntryKey> wanted, Action<PackageFile> file, Action<string> mistake, CancellationToken cancellation)
    {
        var errno = RpmDatabase.Open(root, out var database);
        if (errno != 0 || program is null)
        {
            mistake(program is null ? "there is no rpm program to read rpm's database with; install rpm" : $"rpm's database can't be read: {Errno.Text(errno)}");
            database?.Dispose();
            return;
        }

        using (database)
        using (var snapshot = Copy(database!, mistake, cancellation))
        {
            if (snapshot is null)
                return;
            var packages = RpmPackages.Read(snapshot, program, cancellation);
            var reader = new Reader(packages, new RealPaths(database!.Tree), wanted, file);
            if ((packages.Trouble ?? snapshot.Query(program, Format, reader.Line, cancellation) ?? reader.Trouble) is { } trouble)
                mistake($"rpm's database can't be read: {trouble}");
        }
    }

    private RpmSnapshot? Copy(RpmDatabase database, Action<string> mistake, CancellationToken cancellation)
    {
        try
        {
            return database.Copy(directory, clock.GetUtcNow(), cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            mistake($"rpm's database can't be read: {EscapedText.Of(Encoding.UTF8.GetBytes(e.Message))}");
            return null;
        }
    }

    private sealed class Reader(RpmPackages packages, RealPaths paths, Predicate<EntryKey> wanted, Action<PackageFile> file)
    {
        private EntryKey? _package;
        private int _algorithm;

        public string? Trouble { get; private set; }

        public void Line(QuotedWords words)
        {
            if (words.Count == RpmPackage.Words + 2 && words[0].SequenceEqual("P"u8))
                Package(words);
            else if (words.Count == 11 && words[0].SequenceEqual("F"u8))
                File(words);
            else
                Trouble ??= "rpm wrote a line that is neither of a package nor of a file";
        }

        private void Package(QuotedWords words)
        {
            _package = packages.KeyOf(RpmPackage.Parse(words, 1, words.Count));
            if (_package is { } key && !wanted(key))
                _package = null;

            // Packages from before 2009 say nothing, and mean MD5.
            _algorithm = Utf8Parser.TryParse(words[^1], out int algorithm, out _) ? algorithm : RpmDigests.Md5;
        }

        private void File(QuotedWords words)
        {
            if (_package is not { } package)
                return;
            var record = new RpmFileRecord(Number(words[1]), Number(words[2]), Number(words[3]), Number(words[4]));
            if (!record.IsInstalled)
                return;
            if (paths.Of(words[10]) is not { } path || path.Length > EntryKey.MaxLength)
            {
                Trouble ??= "a package names a file that is no path";
                return;
            }

            var listed = words.Text(10);
            file(record.Of(package, path) with
            {
                ListedAs = PathText.IsOf(listed.Bytes, path) ? null : listed,
                User = record.Compares(RpmVerify.User) ? words.Text(6) : null,
                Group = record.Compares(RpmVerify.Group) ? words.Text(7) : null,
                Size = record.Compares(RpmVerify.Size) && record.Type == FileType.File ? Number(words[5]) : null,
                Digest = record.Compares(RpmVerify.Digest) ? RpmDigests.Parse(_algorithm, words[8]) : null,
                Target = record.Compares(RpmVerify.Target) && record.Type == FileType.Symlink ? words.Text(9) : null,
            });
        }

        private static ulong Number(ReadOnlySpan<byte> word) => Utf8Parser.TryParse(word, out ulong number, out _) ? number : 0;
    }
}
