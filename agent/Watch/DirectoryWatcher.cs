using System.Text;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch;

/// <summary>
/// Watches directory by directory, by inotify, where fanotify can't be used. Each is watched before the walk reads its names, so
/// that nothing falls between the two; a new one is learned of by its name and walked. Who made a change is not told this way.
/// </summary>
internal sealed partial class DirectoryWatcher(ScanPlan plan, DirtyPaths dirty, WatchCounters counters, TimeProvider clock, ILogger<DirectoryWatcher> log) : IDisposable
{
    private const int BufferLength = 64 * 1024;

    private const WatchEvents Writes = WatchEvents.ClosedAfterWriting | WatchEvents.Modified | WatchEvents.Attributes;

    private const WatchEvents Moves = WatchEvents.MovedFrom | WatchEvents.MovedTo;

    private const WatchEvents ComesOrGoes = Moves | WatchEvents.Created | WatchEvents.Deleted;

    // Held while a directory's watch gets its key: no event of it is understood in between.
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, (EntryKey Key, string Reason)> _filesystems = [];
    private readonly HashSet<ulong> _partly = [], _wasPartly = [];
    private readonly WatchedDirectories _directories = new();
    private readonly byte[] _root = Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(Path.GetFullPath(plan.Root)).TrimEnd('/'));
    private readonly CancellationTokenSource _stop = new();
    private Inotify? _group;
    private Thread? _thread;
    private DateTimeOffset _drainedAt;

    /// <summary>Called before the filesystem is read.</summary>
    /// <param name="reason">Why fanotify can't be used.</param>
    public void Take(ulong device, int directory, EntryKey key, string reason)
    {
        if (!FilesystemType.IsLocal(directory))
        {
            plan.Watched.Set(device, key, WatchMethod.Scans, "others may change it without this machine's knowing");
            return;
        }

        lock (_gate)
        {
            var errno = _group is null ? Start() : 0;
            if (errno != 0)
            {
                plan.Watched.Set(device, key, WatchMethod.Scans, $"{reason}; inotify: {Errno.Text(errno)}");
                return;
            }

            _filesystems[device] = (key, reason);
            _partly.Remove(device);
            _wasPartly.Remove(device);
        }

        plan.Watched.Set(device, key, WatchMethod.Inotify, reason);
        Log.Watching(log, KeyText.Format(EntryKind.File, key.Bytes), reason);
    }

    /// <summary>Mounts have changed: every filesystem that is entered from now on is decided on again.</summary>
    public void Remounted()
    {
        lock (_gate)
        {
            _filesystems.Clear();
            _partly.Clear();
            _wasPartly.Clear();
        }
    }

    public void Stop()
    {
        _stop.Cancel();
        _thread?.Join();
    }

    public void Dispose()
    {
        plan.Filesystems.Beginning -= Begin;
        plan.Filesystems.Reading -= Watch;
        lock (_gate)
        {
            _group?.Dispose();
            _group = null;
        }

        _stop.Dispose();
    }

    private int Start()
    {
        var errno = Inotify.Open(out _group);
        if (errno != 0)
            return errno;

        _drainedAt = clock.GetUtcNow();
        plan.Filesystems.Reading += Watch;
        plan.Filesystems.Beginning += Begin;
        WatchAround();
        _thread = new Thread(Run) { IsBackground = true, Name = "inotify" };
        _thread.Start();
        return 0;
    }

    /// <summary>A look at everything meets every directory. One that could watch them all ends what was said of a limit.</summary>
    private void Begin()
    {
        lock (_gate)
        {
            foreach (var device in _wasPartly.Except(_partly))
                plan.Watched.Set(device, _filesystems[device].Key, WatchMethod.Inotify, _filesystems[device].Reason);
            _wasPartly.Clear();
            _wasPartly.UnionWith(_partly);
            _partly.Clear();
            WatchAround();
        }
    }

    /// <summary>What no walk reads: the folders above what is included, and those of the package managers.</summary>
    private void WatchAround()
    {
        foreach (var include in plan.Local.Include)
        {
            // What is included may be a single file.
            foreach (var (distance, key) in Above(include).Index())
                WatchAround(key, distance == 0 ? _group!.Watch : _group!.WatchNames);
        }

        foreach (var key in PackageDatabases.Folders)
            WatchAround(key, _group!.Watch);
    }

    private void WatchAround(EntryKey key, Watching watching)
    {
        if (PathFromRoot.OpenDirectory(plan.Root, key, out var directory) != 0)
            return;
        if (watching(directory, out var watch) == 0)
            _directories.Set(watch, key.Bytes);
        OpenFile.Close(directory);
    }

    private static IEnumerable<EntryKey> Above(EntryKey key)
    {
        while (!key.IsRoot)
        {
            key = new EntryKey(key.Bytes[..Math.Max(key.Bytes.LastIndexOf(EntryKey.Separator), 0)]);
            yield return key;
        }
    }

    /// <summary>Called by the walk, before it reads the directory's names.</summary>
    private void Watch(ulong device, int directory, ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            if (_group is null || !_filesystems.TryGetValue(device, out var filesystem))
                return;

            var errno = _group.Watch(directory, out var watch);
            if (errno == 0)
                _directories.Set(watch, key);
            else if (!Errno.IsGone(errno) && _partly.Add(device) && !_wasPartly.Contains(device))
                NotAll(device, filesystem.Key, filesystem.Reason, errno);
            counters.Watches = _directories.Count;
        }
    }

    private void NotAll(ulong device, EntryKey key, string reason, int errno)
    {
        var why = errno == Errno.NoSpace ? "fs.inotify.max_user_watches is reached" : Errno.Text(errno);
        plan.Watched.Set(device, key, WatchMethod.InotifyAndScans, $"{reason}; inotify: {why}");
        Log.NotAll(log, _directories.Count, why);

        // Only a look at everything tells it on, and makes scans frequent.
        dirty.AddEverything(_drainedAt, reason: null);
    }

    private void Run()
    {
        var buffer = new byte[BufferLength];
        while (!_stop.IsCancellationRequested)
        {
            var now = clock.GetUtcNow();
            var length = _group!.Read(buffer);
            if (length > 0)
            {
                Take(buffer.AsSpan(0, length));
            }
            else if (length == 0)
            {
                // All that happened before is marked by now.
                _drainedAt = now;
                _group.Wait(TimeSpan.FromSeconds(1));
            }
            else
            {
                ReadFailed(Errno.Text(-length));
                return;
            }
        }
    }

    /// <summary>Scans go on, and find what changes.</summary>
    private void ReadFailed(string reason)
    {
        Log.ReadFailed(log, reason);
        lock (_gate)
        {
            foreach (var (device, filesystem) in _filesystems)
                plan.Watched.Set(device, filesystem.Key, WatchMethod.Scans, $"{filesystem.Reason}; inotify: {reason}");
            _filesystems.Clear();
        }

        dirty.AddEverything(_drainedAt, "changes can't be read: " + reason);
    }

    private void Take(ReadOnlySpan<byte> events)
    {
        // Directories that moved: first all of them are forgotten, then marked. The look that follows learns them anew.
        var moved = new HashSet<EntryKey>();
        while (InotifyEvent.TryRead(ref events, out var change))
        {
            counters.Event();
            if ((change.Events & WatchEvents.Overflow) != 0)
            {
                Overflow();
                return;
            }

            Mark(change, moved);
        }

        if (moved.Count == 0)
            return;
        lock (_gate)
        {
            foreach (var watch in _directories.RemoveBelow(moved))
                _group!.Unwatch(watch);
            counters.Watches = _directories.Count;
        }

        foreach (var key in moved)
            dirty.Add(key, isDeep: true, _drainedAt);
    }

    /// <param name="moved">Takes directories.</param>
    private void Mark(in InotifyEvent change, HashSet<EntryKey> moved)
    {
        EntryKey directory;
        lock (_gate)
        {
            if (!_directories.TryFind(change.Watch, out directory))
                return;
            if ((change.Events & WatchEvents.NoLongerWatched) != 0)
            {
                _directories.Remove(change.Watch);
                return;
            }
        }

        var key = change.Name.IsEmpty ? directory : directory.Child(change.Name);
        var comesOrGoes = (change.Events & ComesOrGoes) != 0;
        if (!plan.Local.Covers(key.Bytes) && !PackageDatabases.Hold(key))
        {
            // A folder on the way to what is included: what lies behind it is another one now, or there at last.
            if (comesOrGoes && plan.Local.Include.Any(include => include.IsUnder(key)))
                dirty.AddEverything(_drainedAt, reason: null);
            return;
        }

        if (comesOrGoes && (change.Events & WatchEvents.OnDirectory) != 0)
        {
            if ((change.Events & Moves) != 0)
                moved.Add(key);
            else
                dirty.Add(key, isDeep: true, _drainedAt);
            return;
        }

        if ((change.Events & Writes) != 0 && !change.Name.IsEmpty)
            MarkOtherNames(key);

        // What was created and not closed is likely being written.
        const WatchEvents Final = WatchEvents.ClosedAfterWriting | WatchEvents.Deleted | WatchEvents.Attributes | WatchEvents.MovedFrom | WatchEvents.MovedTo;
        dirty.Add(key, isDeep: false, _drainedAt, isSettling: (change.Events & Final) == 0);
    }

    /// <summary>A file was written to by one of its names.</summary>
    private void MarkOtherNames(EntryKey key)
    {
        byte[] path = [.. _root, (byte)'/', .. key.Bytes, 0];
        path.AsSpan(_root.Length + 1, key.Length).Replace(EntryKey.Separator, (byte)'/');
        if (OpenFile.StatusOf(path) is not { Type: FileType.File, Links: > 1 } status)
            return;
        foreach (var name in plan.Names.Of(status))
            dirty.Add(name, isDeep: false, _drainedAt);
    }

    /// <summary>What came, went or moved is not known: all watches are given up, and made anew by the look that follows.</summary>
    private void Overflow()
    {
        counters.Overflow();
        Log.Overflow(log);
        lock (_gate)
        {
            _directories.Clear();
            var errno = Inotify.Open(out var fresh);
            if (errno == 0)
            {
                _group!.Dispose();
                _group = fresh;
                WatchAround();
            }
        }

        dirty.AddEverything(_drainedAt, "the kernel's queue of changes ran over");
    }

    private delegate int Watching(int directory, out int watch);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Changes below {Path} are seen at once, directory by directory ({Reason})")]
        public static partial void Watching(ILogger log, string path, string reason);

        [LoggerMessage(2, LogLevel.Warning, "After {Count} directories no more can be watched ({Reason}); changes in others are found by scans. Raise that limit, or let the agent use fanotify")]
        public static partial void NotAll(ILogger log, int count, string reason);

        [LoggerMessage(3, LogLevel.Warning, "More changed at once than the kernel could tell; everything is looked at")]
        public static partial void Overflow(ILogger log);

        [LoggerMessage(4, LogLevel.Error, "Changes can't be read from the kernel any more ({Reason}); scans find them until the agent is restarted")]
        public static partial void ReadFailed(ILogger log, string reason);
    }
}
