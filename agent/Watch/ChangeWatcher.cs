using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch;

/// <summary>
/// Marks as dirty whatever the kernel reports to have changed. An event means no more than that: merged, repeated or reordered
/// events do no harm.
/// </summary>
internal sealed partial class ChangeWatcher(ScanPlan plan, DirtyPaths dirty, TimeProvider clock, ILogger<ChangeWatcher> log) : IHostedService, IDisposable
{
    // A burst is read in few calls.
    private const int BufferLength = 256 * 1024;

    private const WatchEvents Writes = WatchEvents.ClosedAfterWriting | WatchEvents.Modified | WatchEvents.Attributes;

    private const WatchEvents Moves = WatchEvents.Created | WatchEvents.Deleted | WatchEvents.MovedFrom | WatchEvents.MovedTo | WatchEvents.Renamed;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, int> _mounts = [];  // a directory of each watched filesystem, by its id
    private readonly HandleKeys _keys = new(Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(Path.GetFullPath(plan.Root)).TrimEnd('/')));
    private readonly CancellationTokenSource _stop = new();
    private Fanotify? _group;
    private Thread? _thread;
    private DateTimeOffset _drainedAt;
    private volatile int _unwatched;

    /// <summary>Whether all that is scanned is watched: then a scan of everything is only a precaution.</summary>
    public bool IsComplete => _group is not null && _unwatched == 0;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var errno = Fanotify.Open(out _group);
        if (_group is null)
        {
            Log.NotWatching(log, Errno.Text(errno));
            return Task.CompletedTask;
        }

        _drainedAt = clock.GetUtcNow();
        plan.Filesystems.Entering += Watch;
        _thread = new Thread(Run) { IsBackground = true, Name = "watch" };
        _thread.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stop.Cancel();
        _thread?.Join();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        plan.Filesystems.Entering -= Watch;
        foreach (var mount in _mounts.Values)
            OpenFile.Close(mount);
        _mounts.Clear();
        _group?.Dispose();
        _stop.Dispose();
    }

    /// <summary>Called before the filesystem is read, so that no change falls between reading and watching.</summary>
    private void Watch(ulong device, int directory, EntryKey key)
    {
        var id = FilesystemType.IdOf(directory);
        var errno = _group!.WatchFilesystem(directory);
        if (errno == 0 && OpenFile.Directory(directory, ".\0"u8, out var mount) is var failure && (errno = failure) == 0)
        {
            lock (_gate)
            {
                if (_mounts.Remove(id, out var former))
                    OpenFile.Close(former);
                _mounts.Add(id, mount);
            }

            Log.Watching(log, KeyText.Format(EntryKind.File, key.Bytes));
            return;
        }

        _unwatched++;
        Log.NotWatched(log, KeyText.Format(EntryKind.File, key.Bytes), Errno.Text(errno));
    }

    private void Run()
    {
        var buffer = new byte[BufferLength];
        using var mounts = MountChanges.Open();
        while (!_stop.IsCancellationRequested)
        {
            var now = clock.GetUtcNow();
            var length = _group!.Read(buffer);
            if (length < 0)
            {
                Log.ReadFailed(log, Errno.Text(-length));
                dirty.AddEverything(_drainedAt, "changes can't be read: " + Errno.Text(-length));
                _stop.Token.WaitHandle.WaitOne(TimeSpan.FromSeconds(1));
            }
            else if (length == 0)
            {
                // All that happened before is marked by now.
                _drainedAt = now;
                if (mounts.Wait(_group.Descriptor, TimeSpan.FromSeconds(1)))
                    Remounted();
            }
            else
            {
                Take(buffer.AsSpan(0, length));
            }
        }
    }

    private void Take(ReadOnlySpan<byte> events)
    {
        while (FanotifyEvent.TryRead(ref events, out var change))
        {
            if (change.ProcessFile >= 0)
                OpenFile.Close(change.ProcessFile);
            if (change.Process == Environment.ProcessId)
                continue;

            if ((change.Events & WatchEvents.Overflow) != 0)
            {
                Log.Overflow(log);
                dirty.AddEverything(_drainedAt, "the kernel's queue of changes ran over");
                continue;
            }

            if ((change.Events & Writes) != 0)
                MarkOtherNames(change.File);
            Mark(change.Name, change.Events);
            if (!change.NewName.IsNone)
                Mark(change.NewName, change.Events);
        }
    }

    /// <summary>A file was written to by one of its names, which may be gone again.</summary>
    private void MarkOtherNames(in WatchedName file)
    {
        if (!TryMount(file, out var mount) || HandlePath.StatusOf(mount, file.Handle, out var status) != 0 || status.Type != FileType.File)
            return;
        foreach (var key in plan.Names.Of(status))
            dirty.Add(key, isDeep: false, _drainedAt);
    }

    private bool TryMount(in WatchedName name, out int mount)
    {
        mount = -1;
        if (name.IsNone)
            return false;
        lock (_gate)
            return _mounts.TryGetValue(name.Filesystem, out mount);
    }

    private void Mark(in WatchedName name, WatchEvents events)
    {
        var movesDirectory = (events & WatchEvents.OnDirectory) != 0 && (events & Moves) != 0;
        if (!TryMount(name, out var mount))
            return;

        var directory = _keys.Find(mount, name);
        if (movesDirectory)
            _keys.Forget();
        if (directory is not { } parent)
            return;

        var key = name.Name.IsEmpty || name.Name.SequenceEqual("."u8) ? parent : parent.Child(name.Name);
        if (!plan.Local.Covers(key.Bytes) && !PackageDatabases.Hold(key))
            return;

        // What was created and not closed is likely being written.
        const WatchEvents Final = WatchEvents.ClosedAfterWriting | WatchEvents.Deleted | WatchEvents.Attributes
            | WatchEvents.MovedFrom | WatchEvents.MovedTo | WatchEvents.Renamed;
        var isSettling = !movesDirectory && (events & Final) == 0;
        dirty.Add(key, movesDirectory, _drainedAt, isSettling);
    }

    private void Remounted()
    {
        Log.Remounted(log);
        _keys.Forget();
        _unwatched = 0;
        plan.Filesystems.TellAgain();
        dirty.AddEverything(_drainedAt, reason: null);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Changes below {Path} are seen at once")]
        public static partial void Watching(ILogger log, string path);

        [LoggerMessage(2, LogLevel.Warning, "The filesystem at {Path} can't be watched ({Reason}); changes there are found by scans")]
        public static partial void NotWatched(ILogger log, string path, string reason);

        [LoggerMessage(3, LogLevel.Warning, "Changes can't be watched ({Reason}); they are found by scans. The agent needs CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH, and Linux 5.9")]
        public static partial void NotWatching(ILogger log, string reason);

        [LoggerMessage(4, LogLevel.Warning, "More changed at once than the kernel could tell; everything is looked at")]
        public static partial void Overflow(ILogger log);

        [LoggerMessage(5, LogLevel.Information, "Filesystems were mounted or unmounted; everything is looked at")]
        public static partial void Remounted(ILogger log);

        [LoggerMessage(6, LogLevel.Error, "Changes can't be read from the kernel ({Reason}); everything is looked at")]
        public static partial void ReadFailed(ILogger log, string reason);
    }
}
