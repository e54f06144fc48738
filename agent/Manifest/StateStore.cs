using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>
/// The trees of this instance on disk, with what is needed to rescan cheaply, and the ledger of heads. When the disk fails, the
/// same in memory: the agent goes on, says so, and returns to the disk by a rescan.
/// </summary>
internal sealed partial class StateStore : IDisposable
{
    private readonly string _directory;
    private readonly TimeSpan _returnAfter;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private StateDatabase _database;
    private HeadLedger _ledger;
    private MemoryDirectory? _memory;
    private volatile string? _failure;
    private long _failedAt;  // of the clock that nobody sets
    private bool _isDamaged;

    /// <param name="directory">Exists; whether it can be written to shows here.</param>
    public StateStore(string directory, StateOptions options, TimeProvider clock, ILogger log)
    {
        _directory = directory;
        _returnAfter = options.ReturnAfter;
        _clock = clock;
        _log = log;
        MemoryDirectory.DeleteAbandoned(MemoryDirectory.Parent, log);
        (_database, _ledger) = OpenBest(aboveEpoch: 0);
    }

    /// <summary>Raised when there may be something to tell: a new head, or another ledger.</summary>
    public event Action? Changed;

    /// <summary>The disk can't be used; the state is in memory.</summary>
    public bool IsInMemory => _failure is not null;

    /// <summary>Why the state is in memory; null: it is on the disk.</summary>
    public string? Failure => _failure;

    public HeadLedger Ledger
    {
        get
        {
            lock (_gate)
                return _ledger;
        }
    }

    /// <summary>One complete look: the trees and, if something is different, a new head, in one transaction.</summary>
    /// <remarks>A damaged database is made anew, a disk that fails is left for memory; either way the look begins again.</remarks>
    public HeadLedger Look(ManifestScan scan, ScanProgress progress, CancellationToken cancellation)
    {
        if (IsReturnDue)
            TryReturn();

        while (true)
        {
            if (Try(() => LookOnce(scan, progress, cancellation)) is { } ledger)
                return ledger;
        }
    }

    /// <summary>A look at some parts; see <see cref="Look"/>.</summary>
    /// <param name="observedAfter">When these parts were still as they are stored.</param>
    /// <param name="changed">Told, before the new head is kept and anybody told of it, its generation and what is different in it.</param>
    /// <returns>Null when the state is not one that parts can be put into: a look at everything is needed.</returns>
    public HeadLedger? LookAgain(
        PartScan scan, DateTimeOffset observedAfter, Action<long, IReadOnlyList<(EntryKind Kind, TreeEdit Edit)>> changed, ScanProgress progress, CancellationToken cancellation)
    {
        var before = Ledger;
        return before.Head is { } head && head.Coverage.Scope.Equals(scan.Scope) && !IsReturnDue
            ? Try(() => LookOnce(scan, before, observedAfter, changed, progress, cancellation))
            : null;
    }

    /// <summary>What a look left to be done, when nobody waits for it.</summary>
    public void TidyUp() => Try(() =>
    {
        _database.Checkpoint();
        return _ledger;
    });

    /// <summary>Says that there may be something to tell though the ledger did not change.</summary>
    public void Wake() => Changed?.Invoke();

    /// <summary>Changes the ledger by one of its transitions.</summary>
    public HeadLedger Apply(Func<HeadLedger, HeadLedger> transition)
    {
        lock (_gate)
            return _ledger = transition(_ledger);
    }

    /// <returns>Null when another head is current by now.</returns>
    public Announcement? Announce(HeadPosition position)
    {
        lock (_gate)
        {
            if (_ledger.Position != position)
                return null;
            (_ledger, var announcement) = _ledger.Announce();
            return announcement;
        }
    }

    /// <summary>The bytes of a node of the current or an announced head; null when it is not here any more.</summary>
    public byte[]? ReadNode(Digest digest) => Read(() => _database.ReadNode(digest));

    /// <summary>The leaf of a kind's tree that comes after another; null after the last, or when it can't be read now.</summary>
    /// <param name="after">First key of the other; null: the first leaf of all.</param>
    public StoredLeaf? NextLeaf(EntryKind kind, byte[]? after) => Read(() => _database.NextLeaf(kind, after));

    /// <summary>0 also when they can't be counted now.</summary>
    public long CountLeaves(EntryKind kind) => Read(() => _database.CountLeaves(kind));

    /// <summary>Entries of each kind that has any; null when they can't be counted now.</summary>
    public IReadOnlyDictionary<EntryKind, long>? CountEntries()
    {
        StateDatabase database;
        lock (_gate)
            database = _database;
        try
        {
            return database.CountEntries();
        }
        catch (SqliteException)
        {
            return null;
        }
    }

    /// <summary>Nodes younger than a generation, children before parents; null when they are more than a limit.</summary>
    public IReadOnlyList<byte[]>? NodesSince(long generation, int maxBytes) => Read(() => _database.NodesSince(generation, maxBytes));

    public void Dispose()
    {
        lock (_gate)
        {
            try
            {
                _database.WriteLedger(_ledger);
            }
            catch (SqliteException e)
            {
                Log.LedgerNotWritten(_log, e.Message);
            }

            _database.Dispose();
            DeleteMemory();
        }
    }

    private bool IsReturnDue => IsInMemory && _clock.GetElapsedTime(_failedAt) >= _returnAfter;

    /// <summary>To the disk, if that can be used again; else what is in memory stays, and need not be read again.</summary>
    private void TryReturn()
    {
        _failedAt = _clock.GetTimestamp();
        try
        {
            Swap(() => OpenMended(_ledger.Epoch));
        }
        catch (Exception e) when (IsUnusable(e))
        {
            _failure = e.Message;
            return;
        }

        DeleteMemory();
        _failure = null;
        Log.BackOnDisk(_log, _directory);
    }

    /// <summary>What can't be read is not here; the next look repairs it.</summary>
    private T? Read<T>(Func<T?> read)
    {
        lock (_gate)
        {
            try
            {
                return read();
            }
            catch (Exception e) when (IsDamage(e))
            {
                _isDamaged = true;
                Log.NodeUnreadable(_log, e.Message);
            }
            catch (SqliteException e) when (IsDiskFailure(e))
            {
                Log.NodeUnreadable(_log, e.Message);
            }

            return default;
        }
    }

    /// <returns>Null when the state was another one than was thought, and is a new one now.</returns>
    private HeadLedger? Try(Func<HeadLedger> look)
    {
        try
        {
            return _isDamaged ? throw new DamagedStateException() : look();
        }
        catch (Exception e) when (IsDamage(e))
        {
            Log.Damaged(_log, e.Message);
            Swap(() =>
            {
                // Before its files are taken from under it: closed later, it would take away those of its successor.
                _database.Dispose();
                _isDamaged = false;
                return Failure is { } failure ? OpenInMemory(_ledger.Epoch, failure) : OpenBest(_ledger.Epoch, isDamaged: true);
            });
        }
        catch (SqliteException e) when (!IsInMemory && IsDiskFailure(e))
        {
            Log.DiskFailed(_log, _directory, e.Message, _returnAfter);
            Swap(() => OpenInMemory(_ledger.Epoch, e.Message));
        }

        return null;
    }

    private HeadLedger LookOnce(ManifestScan scan, ScanProgress progress, CancellationToken cancellation)
    {
        var before = Ledger;
        using var update = new StoreUpdate(_database, before.Generation);
        var sighting = scan.Run(update, progress, cancellation);
        return Complete(before, ledger => ledger.Saw(sighting), update.Commit);
    }

    private HeadLedger LookOnce(
        PartScan scan,
        HeadLedger before,
        DateTimeOffset observedAfter,
        Action<long, IReadOnlyList<(EntryKind Kind, TreeEdit Edit)>> changed,
        ScanProgress progress,
        CancellationToken cancellation)
    {
        using var patch = new StorePatch(_database, before.Generation);
        var sighting = scan.Run(patch, before.Head!, progress, cancellation);
        return Complete(
            before,
            ledger => ledger.SawParts(sighting, observedAfter),
            (ledger, needed) =>
            {
                // What is told yet of a head that is there may come behind its acknowledgement: it is kept until the next one is stored.
                var generation = ledger.Head!.Generation;
                changed(generation == before.Head!.Generation ? ledger.Generation + 1 : generation, patch.Edits);

                // A kill in between leaves it for the next head, which sees the same again; a head whose changes are not kept would stay
                // one of which nobody knows who made it.
                patch.Commit(ledger, needed);
            });
    }

    private HeadLedger Complete(HeadLedger before, Func<HeadLedger, HeadLedger> see, Action<HeadLedger, long?> commit)
    {
        HeadLedger after;

        // Announcing waits: a head that is announced from here on is the new one.
        lock (_gate)
        {
            after = see(_ledger);
            commit(after, after.NeededGeneration);
            _ledger = after;
        }

        if (after.Head?.Generation != before.Head?.Generation)
            Changed?.Invoke();
        return after;
    }

    /// <summary>Takes another database; when that can't be opened, the one there is stays.</summary>
    private void Swap(Func<(StateDatabase, HeadLedger)> open)
    {
        lock (_gate)
        {
            var (before, generation) = (_database, _ledger.Generation);
            (_database, _ledger) = open();
            _ledger = _ledger with { EarlierGeneration = generation };
            before.Dispose();
        }

        Changed?.Invoke();
    }

    /// <param name="isDamaged">What is on the disk is of no use.</param>
    private (StateDatabase, HeadLedger) OpenBest(ulong aboveEpoch, bool isDamaged = false)
    {
        try
        {
            if (isDamaged)
                StateDatabase.Delete(_directory);
            return OpenMended(aboveEpoch);
        }
        catch (Exception e) when (IsUnusable(e))
        {
            Log.DiskFailed(_log, _directory, e.Message, _returnAfter);
            return OpenInMemory(aboveEpoch, e.Message);
        }
    }

    /// <summary>Made anew when it is damaged.</summary>
    private (StateDatabase, HeadLedger) OpenMended(ulong aboveEpoch)
    {
        try
        {
            return OpenOnDisk(aboveEpoch);
        }
        catch (Exception e) when (IsDamage(e))
        {
            Log.Damaged(_log, e.Message);
            StateDatabase.Delete(_directory);
            return OpenOnDisk(aboveEpoch);
        }
    }

    private (StateDatabase, HeadLedger) OpenOnDisk(ulong aboveEpoch)
    {
        var database = StateDatabase.Open(_directory);
        try
        {
            return (database, Load(database, aboveEpoch));
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>A database on a filesystem that lives in memory: SQLite's own memory databases know no readers beside a writer.</summary>
    private (StateDatabase, HeadLedger) OpenInMemory(ulong aboveEpoch, string reason)
    {
        _failedAt = _clock.GetTimestamp();
        DeleteMemory();
        MemoryDirectory.DeleteAbandoned(MemoryDirectory.Parent, _log);
        _memory = MemoryDirectory.Create(MemoryDirectory.Parent);
        var database = StateDatabase.Open(_memory.Path);
        _failure = reason;
        return (database, Load(database, aboveEpoch));
    }

    private HeadLedger Load(StateDatabase database, ulong aboveEpoch)
    {
        var now = (ulong)_clock.GetUtcNow().ToUnixTimeMilliseconds();
        var stored = database.ReadLedger();
        var ledger = stored is null ? new HeadLedger(Math.Max(now, aboveEpoch + 1))
            : stored.Epoch <= aboveEpoch ? stored.Renewed(aboveEpoch, now)
            : stored;
        database.WriteLedger(ledger);
        return ledger;
    }

    private void DeleteMemory()
    {
        _memory?.Dispose();
        _memory = null;
    }

    // SQLITE_CORRUPT and SQLITE_NOTADB; nodes and coverages that are not what was written; SQLITE_ERROR: tables that are not ours.
    private static bool IsDamage(Exception e) =>
        e is DamagedStateException or NotCanonicalException or BadMessageException or SqliteException { SqliteErrorCode: 11 or 26 or 1 };

    private static bool IsUnusable(Exception e) =>
        e is UnauthorizedAccessException or IOException || (e is SqliteException failure && IsDiskFailure(failure));

    // SQLITE_PERM, READONLY, IOERR, FULL, CANTOPEN.
    private static bool IsDiskFailure(SqliteException e) => e.SqliteErrorCode is 3 or 8 or 10 or 13 or 14;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The state database is damaged ({Reason}); it is made anew, every file is read again and the collector is told a new epoch")]
        public static partial void Damaged(ILogger log, string reason);

        [LoggerMessage(2, LogLevel.Error, "The state directory {Directory} can't be used ({Reason}); the agent works from memory and tries again in {After}. Free some space, or make the directory writable")]
        public static partial void DiskFailed(ILogger log, string directory, string reason, TimeSpan after);

        [LoggerMessage(3, LogLevel.Information, "The state directory {Directory} can be used again")]
        public static partial void BackOnDisk(ILogger log, string directory);

        [LoggerMessage(4, LogLevel.Warning, "A node can't be read from the state database ({Reason}); the next scan repairs it")]
        public static partial void NodeUnreadable(ILogger log, string reason);

        [LoggerMessage(5, LogLevel.Warning, "The last acknowledgement can't be written ({Reason}); the collector tells it again")]
        public static partial void LedgerNotWritten(ILogger log, string reason);
    }
}
