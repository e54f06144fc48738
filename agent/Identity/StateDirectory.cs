using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Telemetry.Protocol.Files;

namespace Telemetry.Agent.Identity;

/// <summary>
/// The agent's own directory and the identity kept in it. State that was made on another machine, as on a cloned disk, is set
/// aside as evidence before anything of it is used.
/// </summary>
internal sealed partial class StateDirectory : IDisposable
{
    private const string IdentityFile = "identity.json";
    private const string LockFile = "lock";
    private const string EvidencePrefix = "evidence-";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private StateDirectory(string path, InstanceIdentity identity)
    {
        Path = path;
        Identity = identity;
    }

    // The lock holds as long as it is open; the kernel gives it back however this process ends.
    private FileStream? _inUse;

    public string Path { get; }

    public InstanceIdentity Identity { get; }

    /// <param name="machineId">Null when it is not known: then nothing is set aside.</param>
    public static StateDirectory Open(string path, string? machineId, ILogger log)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            File.SetUnixFileMode(path, OwnerOnly);
            var inUse = Lock(path);
            return new StateDirectory(path, Settle(path, machineId, log)) { _inUse = inUse };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var known = TryRead(path);
            var identity = known is not null && IsOurs(known, machineId) ? known : Create(machineId);
            Log.Unusable(log, path, e.Message, identity.InstanceId);
            return new StateDirectory(path, identity);
        }
    }

    /// <exception cref="StateDirectoryInUseException">Both would be one instance, and take each other's state.</exception>
    private static FileStream Lock(string path)
    {
        var file = System.IO.Path.Combine(path, LockFile);
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == Linux.Errno.Again)
        {
            throw new StateDirectoryInUseException($"Another agent is running with the state directory '{path}'; stop it, or set another state_directory.");
        }
    }

    private static InstanceIdentity Settle(string path, string? machineId, ILogger log)
    {
        var known = TryRead(path);
        if (known is null && File.Exists(System.IO.Path.Combine(path, IdentityFile)))
        {
            Log.Damaged(log, path);
            SetAside(path, "unknown");
        }
        else if (known is not null && !IsOurs(known, machineId))
        {
            Log.OtherMachine(log, known.InstanceId, path);
            SetAside(path, known.InstanceId);
            known = null;
        }

        var identity = known ?? Create(machineId);
        identity = identity with { MachineId = identity.MachineId ?? machineId };
        if (identity != known)
            Write(path, identity);
        return identity;
    }

    public void Dispose() => _inUse?.Dispose();

    private static bool IsOurs(InstanceIdentity identity, string? machineId) =>
        machineId is null || identity.MachineId is null || identity.MachineId == machineId;

    /// <remarks>Outside a cloud nobody names instances: the id is drawn.</remarks>
    private static InstanceIdentity Create(string? machineId) =>
        new("i-" + RandomNumberGenerator.GetHexString(17, lowercase: true), machineId);

    private static InstanceIdentity? TryRead(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(System.IO.Path.Combine(path, IdentityFile));
            var identity = JsonSerializer.Deserialize(bytes, IdentityJson.Default.InstanceIdentity);
            return identity?.InstanceId?.StartsWith("i-", StringComparison.Ordinal) == true ? identity : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Write(string path, InstanceIdentity identity) => PrivateFile.Write(
        System.IO.Path.Combine(path, IdentityFile),
        JsonSerializer.SerializeToUtf8Bytes(identity, IdentityJson.Default.InstanceIdentity));

    private static void SetAside(string path, string owner)
    {
        var evidence = System.IO.Path.Combine(path, EvidencePrefix + owner);
        for (var count = 2; Directory.Exists(evidence); count++)
            evidence = System.IO.Path.Combine(path, $"{EvidencePrefix}{owner}-{count}");

        var entries = Directory.GetFileSystemEntries(path)
            .Where(entry => System.IO.Path.GetFileName(entry) is var name && name != LockFile && !name.StartsWith(EvidencePrefix, StringComparison.Ordinal))
            .ToList();
        Directory.CreateDirectory(evidence, OwnerOnly);
        foreach (var entry in entries)
            Directory.Move(entry, System.IO.Path.Combine(evidence, System.IO.Path.GetFileName(entry)));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The state in {Path} belongs to {InstanceId} and was made on another machine; it is set aside as evidence and this machine gets an identity of its own")]
        public static partial void OtherMachine(ILogger log, string instanceId, string path);

        [LoggerMessage(2, LogLevel.Error, "The identity in {Path} is damaged; the state is set aside as evidence and this machine gets a new identity")]
        public static partial void Damaged(ILogger log, string path);

        [LoggerMessage(3, LogLevel.Error, "The state directory {Path} can't be used ({Reason}); this instance is {InstanceId} until the agent ends, and may be another one afterwards. Make the directory writable")]
        public static partial void Unusable(ILogger log, string path, string reason, string instanceId);
    }
}

/// <summary>Another agent uses the directory. It may be one that is about to end: who tries again later may succeed.</summary>
internal sealed class StateDirectoryInUseException(string message) : Exception(message);
