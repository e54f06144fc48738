using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch;

/// <summary>
/// Marks as dirty whatever the kernel reports to have changed, with who changed it. An event means no more than that: merged,
/// repeated or reordered events do no harm.
/// </summary>
internal sealed partial class ChangeWatcher(
    ScanPlan plan,
    RulesInForce rules,
    DirtyPaths dirty,
    ActorReader actors,
    TransactionWatch transactions,
    TransactionReporter reporter,
    DirectoryWatcher fallback,
    WatchCounters counters,
    TimeProvider clock,
    ILogger<ChangeWatcher> log) : IHostedService, IDisposable
{
    // A burst is read in few calls.
    private const int BufferLength = 256 * 1024;

    // Each keeps a directory in the kernel's memory.
    private const int MaxCriticalDirectories = 16 * 1024;

    // Writes that follow each other become one event as long as nobody reads it.
    private static readonly TimeSpan BetweenWrites = TimeSpan.FromMilliseconds(5);

    private const WatchEvents Writes = WatchEvents.ClosedAfterWriting | WatchEvents.Modified | WatchEvents.Attributes;

    private const WatchEvents Moves = WatchEvents.Created | WatchEvents.Deleted | WatchEvents.MovedFrom | WatchEvents.MovedTo | WatchEvents.Renamed;

    private readonly HandleKeys _keys = new(Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(Path.GetFullPath(plan.Root)).TrimEnd('/')));
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<ulong> _told = [];  // filesystems that are watched, once, though mounts come and go several times a second
    private Fanotify? _group;
    private Thread? _thread;
    private DateTimeOffset _drainedAt;
    private ulong _order;
    private int _criticalDirectories;
    private volatile string? _whyNot;  // fanotify can't be used, or no more

    /// <summary>Whether all that is scanned is watched: then a scan of everything is only a precaution.</summary>
    public bool IsComplete => plan.Watched.IsComplete;

    /// <summary>Whether changes wait for the end of a package transaction, or for its report.</summary>
    public bool IsInTransaction => transactions.IsOpen || reporter.IsPending;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var errno = Fanotify.Open(out _group);
        if (_group is null)
        {
            _whyNot = Errno.Text(errno);
            Log.NotWatching(log, _whyNot);
        }

        _drainedAt = clock.GetUtcNow();
        plan.Filesystems.Entering += Watch;
        plan.Filesystems.Beginning += Begin;
        plan.Filesystems.Reading += WatchWrites;
        _thread = new Thread(Run) { IsBackground = true, Name = "watch" };
        _thread.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stop.Cancel();
        _thread?.Join();
        fallback.Stop();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        plan.Filesystems.Entering -= Watch;
        plan.Filesystems.Beginning -= Begin;
        plan.Filesystems.Reading -= WatchWrites;
        _group?.Dispose();
        _stop.Dispose();
    }

    /// <summary>Called before the filesystem is read, so that no change falls between reading and watching.</summary>
    private void Watch(ulong device, int directory, EntryKey key)
    {
        if (_whyNot is not null)
        {
            fallback.Take(device, directory, key, "fanotify: " + _whyNot);
            return;
        }

        var errno = HandlePath.MayOpen(directory);
        if (errno == 0)
            errno = _group!.WatchFilesystem(directory);
        if (errno != 0)
        {
            fallback.Take(device, directory, key, "fanotify: " + Errno.Text(errno));
            return;
        }

        _keys.Mounts.Add(FilesystemType.IdOf(directory), directory);
        var (method, reason) = !FilesystemType.IsLocal(directory) ? (WatchMethod.Scans, "others may change it without this machine's knowing")
            : _group!.ReportsRenames ? (WatchMethod.Fanotify, "")
            : (WatchMethod.FanotifyWithoutRename, "this kernel tells the two names of a rename apart");
        plan.Watched.Set(device, key, method, reason);
        Log.Watching(log, _told.Add(device) ? LogLevel.Information : LogLevel.Debug, KeyText.Format(EntryKind.File, key.Bytes));
    }

    private void Begin() => _criticalDirectories = 0;

    private void WatchWrites(ulong device, int directory, ReadOnlySpan<byte> key)
    {
        if (_whyNot is not null || !rules.Current.Policy.IsCritical(key) || _criticalDirectories++ >= MaxCriticalDirectories)
            return;
        if (_group!.WatchWrites(directory) is var errno and not 0)
            Log.WritesNotWatched(log, KeyText.Format(EntryKind.File, key), Errno.Text(errno));
    }

    private void Run()
    {
        try
        {
            var buffer = new byte[BufferLength];
            using var mounts = MountChanges.Open();
            while (!_stop.IsCancellationRequested)
                Step(buffer, mounts);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            // A look at everything finds what changed, and has the directories watched one by one.
            _whyNot = e.Message;
            Log.Failed(log, e.Message);
            transactions.GiveUp();
            TellAgain();
            dirty.AddEverything(_drainedAt, "changes can't be read: " + e.Message);
        }
    }

    /// <exception cref="IOException">The kernel hands out no more events.</exception>
    /// <exception cref="InvalidDataException">It hands out such as nobody can read.</exception>
    private void Step(byte[] buffer, MountChanges mounts)
    {
        var now = clock.GetUtcNow();
        var length = _group?.Read(buffer) ?? 0;
        if (length < 0)
            throw new IOException(Errno.Text(-length));

        if (Take(buffer.AsSpan(0, length)) == WatchEvents.Modified)
            _stop.Token.WaitHandle.WaitOne(BetweenWrites);
        var isDrained = length == 0;
        if (isDrained)
        {
            // All that happened before is marked by now.
            _drainedAt = now;
            actors.Drained();
        }

        if (transactions.Look(isDrained) is { } ended)
            reporter.Add(ended);
        if (isDrained && mounts.Wait(_group?.Descriptor ?? -1, transactions.IsOpen ? TransactionWatch.Interval : TimeSpan.FromSeconds(1)))
            Remounted();
    }

    /// <returns>All that was among them.</returns>
    private WatchEvents Take(ReadOnlySpan<byte> events)
    {
        var all = WatchEvents.None;
        while (FanotifyEvent.TryRead(ref events, out var change))
        {
            all |= change.Events;
            _order += 2;
            counters.Event();
            if (change.Process != Environment.ProcessId)
                Take(change);
            if (change.ProcessFile >= 0)
                OpenFile.Close(change.ProcessFile);
        }

        if (_keys.Mounts.TakeLost())
            LookEverywhere("a watched filesystem is not where it was");
        return all;
    }

    private void Take(in FanotifyEvent change)
    {
        if ((change.Events & WatchEvents.Overflow) != 0)
        {
            counters.Overflow();
            Log.Overflow(log);
            dirty.AddEverything(_drainedAt, "the kernel's queue of changes ran over");
            return;
        }

        // Within one event it is not known which came first: then the program is not certain.
        if ((change.Events & WatchEvents.ProgramStarted) != 0)
            actors.ExecSeen(change.Process, _order + 1);
        if ((change.Events & (Writes | Moves)) == 0)
            return;

        SeenActor? by = null;
        if ((change.Events & Writes) != 0)
            MarkOtherNames(change, ref by);
        Mark(change.Name, change, ref by);
        if (!change.NewName.IsNone)
            Mark(change.NewName, change, ref by);
    }

    /// <summary>A file was written to by one of its names, which may be gone again.</summary>
    private void MarkOtherNames(in FanotifyEvent change, ref SeenActor? by)
    {
        if (plan.Names.IsEmpty || !_keys.Mounts.TryOpen(change.File.Filesystem, out var mount))
            return;

        var errno = HandlePath.StatusOf(mount, change.File.Handle, out var status);
        OpenFile.Close(mount);
        if (errno != 0 || status.Type != FileType.File)
            return;
        foreach (var key in plan.Names.Of(status))
            Mark(key, isDeep: false, isSettling: false, change, ref by);
    }

    private void Mark(in WatchedName name, in FanotifyEvent change, ref SeenActor? by)
    {
        if (name.IsNone)
            return;

        var movesDirectory = (change.Events & WatchEvents.OnDirectory) != 0 && (change.Events & Moves) != 0;
        var directory = _keys.Find(name);
        if (movesDirectory)
            _keys.Forget();
        if (directory is not { } parent)
            return;

        var key = name.Name.IsEmpty || name.Name.SequenceEqual("."u8) ? parent : parent.Child(name.Name);

        // What was created and not closed is likely being written.
        const WatchEvents Final = WatchEvents.ClosedAfterWriting | WatchEvents.Deleted | WatchEvents.Attributes
            | WatchEvents.MovedFrom | WatchEvents.MovedTo | WatchEvents.Renamed;
        Mark(key, movesDirectory, isSettling: !movesDirectory && (change.Events & Final) == 0, change, ref by);
    }

    /// <param name="by">Read once for an event.</param>
    private void Mark(EntryKey key, bool isDeep, bool isSettling, in FanotifyEvent change, ref SeenActor? by)
    {
        var isLookedAt = plan.Local.Covers(key.Bytes) || PackageDatabases.Hold(key);
        if (!isLookedAt && isDeep)
        {
            // A folder on the way to what is included: what lies behind it is another one now, or gone.
            foreach (var include in plan.Local.Include)
            {
                if (include.Length > key.Length && include.IsUnder(key))
                    Mark(include, isDeep, isSettling, change, ref by);
            }
        }

        if (!isLookedAt && !PackageLocks.IsReason(key.Bytes))
            return;

        var actor = by ??= actors.See(change.Process, change.ProcessFile, _order);
        transactions.Notice(key, actor.Actor);
        var origin = new ChangeOrigin(clock.GetUtcNow(), by);
        if (isLookedAt && !transactions.Keeps(key, isDeep, _drainedAt, origin))
            dirty.Add(key, isDeep, _drainedAt, isSettling, origin);
    }

    private void Remounted()
    {
        Log.Remounted(log);
        LookEverywhere(loss: null);
    }

    /// <summary>Where things lie is known no more.</summary>
    /// <param name="loss">Why events may have named nothing; null: none did.</param>
    private void LookEverywhere(string? loss)
    {
        _keys.Forget();
        TellAgain();
        dirty.AddEverything(_drainedAt, loss);
    }

    /// <summary>How each filesystem is watched is decided anew, when the next look enters it.</summary>
    private void TellAgain()
    {
        plan.Watched.Clear();
        fallback.Remounted();
        plan.Filesystems.TellAgain();
    }

    private static partial class Log
    {
        [LoggerMessage(7, LogLevel.Debug, "Writes to files in {Path} that stay open can't be watched ({Reason}); scans find them")]
        public static partial void WritesNotWatched(ILogger log, string path, string reason);

        [LoggerMessage(EventId = 1, Message = "Changes below {Path} are seen at once")]
        public static partial void Watching(ILogger log, LogLevel level, string path);

        [LoggerMessage(3, LogLevel.Warning, "Whole filesystems can't be watched ({Reason}); directories are, one by one, and who changes something is not known. For more, the agent needs CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH, and Linux 5.9")]
        public static partial void NotWatching(ILogger log, string reason);

        [LoggerMessage(4, LogLevel.Warning, "More changed at once than the kernel could tell; everything is looked at")]
        public static partial void Overflow(ILogger log);

        [LoggerMessage(5, LogLevel.Debug, "Filesystems were mounted or unmounted; everything is looked at")]
        public static partial void Remounted(ILogger log);

        [LoggerMessage(6, LogLevel.Error, "Changes can't be read from the kernel any more ({Reason}); until the agent is restarted, directories are watched one by one, and who changes something is not known")]
        public static partial void Failed(ILogger log, string reason);
    }
}
