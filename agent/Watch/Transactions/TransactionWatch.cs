using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Transactions;

/// <summary>Notices package transactions, and keeps their changes until they end. For the thread that reads the queue of changes.</summary>
internal sealed class TransactionWatch(PackageLocks locks, TransactionProcesses processes, TransactionTracker tracker, TimeProvider clock) : IDisposable
{
    /// <summary>How often the locks are asked for while a transaction is open.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    // A burst of changes below the package databases is no reason to ask for each of them.
    private static readonly TimeSpan BetweenQuestions = TimeSpan.FromMilliseconds(5);

    private IReadOnlyList<PackageLock> _held = [];
    private long? _askedAt;
    private volatile bool _isOpen;

    /// <summary>Whether changes wait. For any thread.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>A change may be the first sign of a transaction.</summary>
    public void Notice(EntryKey key, Actor actor)
    {
        if (_isOpen || !(PackageLocks.IsReason(key.Bytes) || TransactionProcesses.IsManager(actor))
            || (_askedAt is { } asked && clock.GetElapsedTime(asked) < BetweenQuestions))
            return;

        Ask();
        if (_held.Count == 0)
            return;
        tracker.LocksHeld(_held, clock.GetUtcNow());
        _isOpen = true;
    }

    /// <returns>Whether the change waits for the end of a transaction.</returns>
    public bool Keeps(EntryKey key, bool isDeep, DateTimeOffset unchangedUntil, ChangeOrigin origin)
    {
        if (!_isOpen)
            return false;
        var belonging = origin.By is { } by ? processes.Of(by.Actor, _held) : Belonging.Unknown;
        return tracker.Changed(new TransactionChange(key, isDeep, belonging, unchangedUntil, origin));
    }

    /// <summary>Asks for the locks while a transaction is open.</summary>
    /// <param name="isDrained">Whether all changes were handed over that were made before the last question.</param>
    /// <returns>A transaction that is over, or takes too long.</returns>
    public CompletedTransaction? Look(bool isDrained)
    {
        if (!_isOpen)
            return null;

        // Free when last asked, and all that was done until then is known.
        if (_held.Count == 0 && isDrained)
        {
            var ended = tracker.LocksHeld([], clock.GetUtcNow());
            processes.Forget();
            _isOpen = tracker.IsOpen;
            return ended;
        }

        if (clock.GetElapsedTime(_askedAt!.Value) < Interval)
            return null;
        Ask();
        return _held.Count > 0 ? tracker.LocksHeld(_held, clock.GetUtcNow()) : null;
    }

    /// <summary>Changes are read no more: none waits from now on. What waited has to be looked at otherwise.</summary>
    public void GiveUp() => _isOpen = false;

    public void Dispose()
    {
        locks.Dispose();
        processes.Dispose();
    }

    private void Ask()
    {
        _held = locks.Held();
        _askedAt = clock.GetTimestamp();
    }
}
