using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Transactions;

/// <summary>A package manager that holds its lock.</summary>
/// <param name="Manager"><c>dpkg</c> or <c>rpm</c>.</param>
/// <param name="Pid">0 when it can't be told: in another namespace, or a lock of an open file.</param>
internal readonly record struct PackageLock(string Manager, int Pid);

/// <summary>Which package managers hold their locks below a root. It only asks: no lock is taken, so nobody is kept from one.</summary>
/// <remarks>
/// apt holds <c>lock-frontend</c> throughout, while <c>lock</c> comes and goes with each run of dpkg; dpkg alone holds both. rpm holds
/// a lock of its own during a transaction. All are locks of fcntl(2). Costs some dozens of system calls; not for several threads.
/// </remarks>
internal sealed class PackageLocks : IDisposable
{
    private static readonly (string Manager, string Path)[] Files =
    [
        ("dpkg", "/var/lib/dpkg/lock-frontend"), ("dpkg", "/var/lib/dpkg/lock"),
        ("rpm", "/usr/lib/sysimage/rpm/.rpm.lock"), ("rpm", "/var/lib/rpm/.rpm.lock"), ("rpm", "/usr/share/rpm/.rpm.lock"),
    ];

    private readonly RootedTree? _tree;

    /// <param name="root">Without it nothing is ever held.</param>
    public PackageLocks(string root) => _tree = RootedTree.Open(root, out var tree) == 0 ? tree : null;

    /// <summary>Whether a change of this file, below the databases of package managers, is a reason to ask.</summary>
    public static bool IsReason(ReadOnlySpan<byte> key) =>
        key.StartsWith("var\0lib\0dpkg\0"u8) || key.StartsWith("var\0lib\0rpm\0"u8)
        || key.StartsWith("usr\0lib\0sysimage\0rpm\0"u8) || key.StartsWith("usr\0share\0rpm\0"u8);

    /// <summary>Empty when none is held.</summary>
    public IReadOnlyList<PackageLock> Held()
    {
        if (_tree is null)
            return [];

        // A new one each time: which directories are links may change.
        var paths = new RealPaths(_tree);
        var held = new List<PackageLock>();
        foreach (var (manager, path) in Files)
        {
            if (paths.Of(System.Text.Encoding.ASCII.GetBytes(path)) is { } key && Holder(key) is { } pid && !held.Contains(new PackageLock(manager, pid)))
                held.Add(new PackageLock(manager, pid));
        }

        return held;
    }

    public void Dispose() => _tree?.Dispose();

    private int? Holder(EntryKey key)
    {
        if (_tree!.File(key.Bytes, out var file, out _) != 0)
            return null;
        using (file)
            return FileLock.Holder((int)file!.DangerousGetHandle());
    }
}
