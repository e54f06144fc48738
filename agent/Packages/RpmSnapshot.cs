using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>A private copy of an rpm database, and the questions rpm answers from it. Gone when it is disposed.</summary>
internal sealed class RpmSnapshot : IDisposable
{
    // Fedora's largest are a fifth of it; an image's sparse file may be of any size.
    private const long MaxBytes = 1L << 30;

    // Ten times what 400,000 files need here, and half of what systemd's watchdog waits for a scan that does not move.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);
    private const long MaxOutput = 512L << 20;

    private const string Prefix = "telemetry-rpm-";

    // Twice as long as any copy is used.
    private static readonly TimeSpan LeftOverAfter = 4 * Timeout;

    private readonly string _folder;
    private readonly HashSet<string> _copied = [];
    private long _bytes;

    /// <param name="directory">Where the copy may be; it is readable by its owner only.</param>
    /// <exception cref="IOException">Nothing can be written there.</exception>
    public RpmSnapshot(string directory, DateTimeOffset now)
    {
        RemoveLeftovers(directory, now);
        _folder = Path.Combine(directory, Prefix + Guid.NewGuid().ToString("n"));
        Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <exception cref="IOException">Can't be read or written, or is too big.</exception>
    public void Add(RootedTree tree, EntryKey key, in FileStatus expected, CancellationToken cancellation)
    {
        _bytes += (long)Math.Min(expected.Size, long.MaxValue / 2);
        if (_bytes > MaxBytes)
            throw new IOException($"it has more than {MaxBytes >> 30} GiB");

        var errno = tree.File(key.Bytes, out var file, out _);
        if (errno != 0)
            throw new IOException(Errno.Text(errno));
        using (file)
        {
            var name = Encoding.UTF8.GetString(key.Bytes[(key.Bytes.LastIndexOf(EntryKey.Separator) + 1)..]);
            _copied.Add(name);
            using var copy = new FileStream(Path.Combine(_folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            var buffer = new byte[64 * 1024];
            for (var left = (long)expected.Size; left > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = OpenFile.Read((int)file!.DangerousGetHandle(), buffer.AsSpan(0, (int)Math.Min(buffer.Length, left)));
                if (read < 0)
                    throw new IOException(Errno.Text(-read));
                if (read == 0)
                    break;
                copy.Write(buffer, 0, read);
                left -= read;
            }
        }
    }

    /// <summary>Asks for a line, or several, of each installed package.</summary>
    /// <param name="format">As in rpm(8), <c>--queryformat</c>; texts with <c>:shescape</c>.</param>
    /// <returns>Null, or for people why what was handed out is not all.</returns>
    public string? Query(string program, string format, Action<QuotedWords> line, CancellationToken cancellation)
    {
        var isCut = false;
        var words = new QuotedWords(words =>
        {
            isCut |= words.IsCut;
            if (!words.IsCut)
                line(words);
        });
        var end = ChildProcess.Run(
            program,
            ["--dbpath", _folder, "--query", "--all", "--nosignature", "--queryformat", format],
            Timeout,
            MaxOutput,
            words.Add,
            cancellation);
        if (!end.IsSuccess)
            return end.Trouble;
        if (HasStranger())
            return $"the rpm program here can't read a database in {string.Join(", ", _copied.Order(StringComparer.Ordinal))}";
        if (isCut)
            return "a package has more to say than any real one";

        // rpm passes over a package it can't read, says so, and calls that a success.
        var error = Encoding.UTF8.GetString(end.Error).Split('\n').FirstOrDefault(text => text.StartsWith("error:", StringComparison.Ordinal));
        return error is null ? null : "rpm says " + EscapedText.Of(Encoding.UTF8.GetBytes(error));
    }

    public void Dispose() => Remove(_folder);

    /// <summary>Who was killed could not tidy up. Where anybody may write, nothing is removed by its name.</summary>
    private static void RemoveLeftovers(string directory, DateTimeOffset now)
    {
        if ((File.GetUnixFileMode(directory) & UnixFileMode.OtherWrite) != 0)
            return;
        foreach (var folder in Directory.EnumerateDirectories(directory, Prefix + "*"))
        {
            if (now - Directory.GetCreationTimeUtc(folder) > LeftOverAfter)
                Remove(folder);
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that fails keeps it; it holds nothing that the database does not.
        }
    }

    /// <summary>A store that was not copied: rpm makes one of the kind it prefers where it finds none that it can read, and reports no packages.</summary>
    private bool HasStranger() =>
        RpmDatabase.Stores.Any(store => File.Exists(Path.Combine(_folder, store)) && !_copied.Contains(store));
}
