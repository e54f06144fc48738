namespace Telemetry.Agent.Linux;

/// <summary>Tells when this machine's mounts change: poll(2) on mountinfo, proc_pid_mountinfo(5).</summary>
internal sealed unsafe class MountChanges : IDisposable
{
    private const short Readable = 0x1, Urgent = 0x2, Failed = 0x8;  // POLLIN, POLLPRI, POLLERR

    private readonly int _mounts;

    private MountChanges(int mounts) => _mounts = mounts;

    /// <remarks>Without mountinfo nothing is ever told; a scan of everything finds what was mounted.</remarks>
    public static MountChanges Open()
    {
        var errno = OpenFile.Root("/proc/self\0"u8, out var self);
        var mounts = -1;
        if (errno == 0)
        {
            _ = OpenFile.Regular(self, "mountinfo\0"u8, out mounts);
            OpenFile.Close(self);
        }

        return new MountChanges(mounts);
    }

    /// <summary>Waits until another descriptor can be read, or mounts change.</summary>
    /// <returns>Whether mounts changed.</returns>
    public bool Wait(int other, TimeSpan time)
    {
        var entries = stackalloc LibC.PollEntry[2];
        entries[0] = new LibC.PollEntry { Descriptor = other, Wanted = Readable };
        entries[1] = new LibC.PollEntry { Descriptor = _mounts, Wanted = Urgent };
        return LibC.Poll(entries, 2, (int)time.TotalMilliseconds) > 0 && (entries[1].Found & (Urgent | Failed)) != 0;
    }

    public void Dispose() => PathFromRoot.CloseIfOpen(_mounts);
}
