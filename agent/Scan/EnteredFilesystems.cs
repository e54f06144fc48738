using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>The filesystems that the scans of this machine go through. Who wants to watch them is told before they are read.</summary>
internal sealed class EnteredFilesystems
{
    private readonly Lock _gate = new();
    private readonly HashSet<ulong> _devices = [], _told = [];

    /// <summary>Told the filesystem's number, an open directory on it, for the time of the call, and that directory's key.</summary>
    public event Action<ulong, int, EntryKey>? Entering;

    /// <summary>Told of each directory before its names are read, with its filesystem's number, open for the time of the call.</summary>
    public event DirectoryReading? Reading;

    /// <summary>Told that a look at everything begins.</summary>
    public event Action? Beginning;

    public void Begin() => Beginning?.Invoke();

    public void Read(ulong device, int directory, ReadOnlySpan<byte> key) => Reading?.Invoke(device, directory, key);

    public bool Has(ulong device)
    {
        lock (_gate)
            return _devices.Contains(device);
    }

    public void Enter(ulong device, int directory, ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            _devices.Add(device);
            if (!_told.Add(device))
                return;
        }

        Entering?.Invoke(device, directory, new EntryKey(key));
    }

    /// <summary>Mounts have changed: all that are gone through from now on are told.</summary>
    public void TellAgain()
    {
        lock (_gate)
            _told.Clear();
    }
}

internal delegate void DirectoryReading(ulong device, int directory, ReadOnlySpan<byte> key);
