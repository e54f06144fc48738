namespace Telemetry.Testing;

/// <summary>A folder that is a filesystem of its own, in memory, for a server to fill. Mounting needs root.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly string _folder;

    public SmallDisk(string folder, int mebibytes)
    {
        _folder = folder;
        Shell.Run("/", $"mount -t tmpfs -o size={mebibytes}m tmpfs '{folder}'");
    }

    private string Filling => Path.Combine(_folder, "filling");

    /// <summary>Takes what room there is.</summary>
    /// <param name="but">MiB that are left.</param>
    public void Fill(int but = 0) => Shell.Run(_folder, $"head -c $(( $(df --output=avail -B1 . | tail -n 1) - {but} * 1048576 )) /dev/zero > '{Filling}'");

    /// <summary>Gives it back.</summary>
    public void Free() => File.Delete(Filling);

    /// <summary>Whoever uses it has ended.</summary>
    public void Dispose() => Shell.Run("/", $"umount '{_folder}'");
}
