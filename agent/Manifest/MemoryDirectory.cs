using Microsoft.Extensions.Logging;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>
/// A directory on a filesystem that lives in memory. A killed agent leaves its own behind, which nothing but a restart of the machine
/// takes away and no limit of a service counts: the next agent does.
/// </summary>
internal sealed partial class MemoryDirectory : IDisposable
{
    private const string Prefix = "telemetry-agent-";
    private const string LockFile = "lock";
    private const int Tries = 3;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const uint OthersRights = 0b111_111;

    // The lock holds as long as it is open; the kernel gives it back however this process ends.
    private readonly FileStream _inUse;

    private MemoryDirectory(string path, FileStream inUse)
    {
        Path = path;
        _inUse = inUse;
    }

    /// <summary>Where such directories are.</summary>
    public static string Parent { get; } = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();

    public string Path { get; }

    /// <exception cref="IOException">There is no room.</exception>
    public static MemoryDirectory Create(string parent)
    {
        for (var left = Tries; ; left--)
        {
            var path = System.IO.Path.Combine(parent, Prefix + Guid.NewGuid().ToString("n"));
            Directory.CreateDirectory(path, OwnerOnly);
            try
            {
                return new MemoryDirectory(path, Lock(path, FileMode.CreateNew));
            }
            catch (IOException) when (left > 1)
            {
                // Another agent that starts now took it, empty as it was, for an abandoned one.
            }
        }
    }

    /// <summary>Takes away what agents of this user left behind that are no more.</summary>
    public static void DeleteAbandoned(string parent, ILogger log)
    {
        foreach (var path in Directory.EnumerateDirectories(parent, Prefix + "*", new EnumerationOptions { IgnoreInaccessible = true }))
        {
            try
            {
                if (IsOurs(path) && TryDelete(path))
                    Log.Deleted(log, path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.NotDeleted(log, path, e.Message);
            }
        }
    }

    public void Dispose()
    {
        Delete(Path);
        _inUse.Dispose();
    }

    /// <remarks>Everybody may make names beside it, and links. One that is ours nobody else can write to, or put another in its place.</remarks>
    private static bool IsOurs(string path) =>
        OpenFile.StatusOf(path) is { Type: FileType.Directory } status && status.Uid == LibC.EffectiveUser() && (status.Mode & OthersRights) == 0;

    /// <returns>False when it is in use.</returns>
    private static bool TryDelete(string path)
    {
        if (!File.Exists(System.IO.Path.Combine(path, LockFile)))
            return TryDeleteEmpty(path);
        try
        {
            using var inUse = Lock(path, FileMode.Open);
            Delete(path);
            return true;
        }
        catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException || e.HResult == Errno.Again)
        {
            return false;
        }
    }

    /// <summary>Who made it was killed before he locked it, or is about to: then he makes another one.</summary>
    /// <returns>False when something is in it that nobody locked: whose that is can't be told.</returns>
    private static bool TryDeleteEmpty(string path)
    {
        if (Directory.EnumerateFileSystemEntries(path).Any())
            return false;
        Directory.Delete(path);
        return true;
    }

    private static FileStream Lock(string path, FileMode mode) =>
        new(System.IO.Path.Combine(path, LockFile), mode, FileAccess.ReadWrite, FileShare.None);

    /// <summary>The lock last: killed in between, the next agent goes on.</summary>
    private static void Delete(string path)
    {
        if (!Directory.Exists(path))
            return;
        foreach (var file in Directory.EnumerateFiles(path).Where(file => System.IO.Path.GetFileName(file) != LockFile))
            File.Delete(file);
        Directory.Delete(path, recursive: true);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Path} is taken away: the agent that kept its state in it was killed")]
        public static partial void Deleted(ILogger log, string path);

        [LoggerMessage(2, LogLevel.Warning, "{Path} can't be taken away ({Reason}); an agent that was killed left it behind, and it takes up memory")]
        public static partial void NotDeleted(ILogger log, string path, string reason);
    }
}
