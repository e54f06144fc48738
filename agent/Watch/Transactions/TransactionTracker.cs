using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Transactions;

/// <summary>A change that was made while a transaction was open.</summary>
/// <param name="IsDeep">It came or went with all below it.</param>
/// <param name="Belonging">Of the last process that changed it.</param>
/// <param name="UnchangedUntil">When it was surely still as it was before.</param>
/// <param name="Origin">Of the last change.</param>
internal readonly record struct TransactionChange(EntryKey Key, bool IsDeep, Belonging Belonging, DateTimeOffset UnchangedUntil, ChangeOrigin Origin);

/// <summary>One run of a package manager, over.</summary>
/// <param name="Id">Names it on this instance.</param>
/// <param name="Manager"><c>dpkg</c> or <c>rpm</c>.</param>
/// <param name="EndedAt">Null: it did not end within <see cref="TransactionTracker.LongestWait"/>.</param>
/// <param name="Changes">In key order.</param>
internal sealed record CompletedTransaction(
    string Id, string Manager, DateTimeOffset BeganAt, DateTimeOffset? EndedAt, IReadOnlyList<TransactionChange> Changes);

/// <summary>Which changes wait for the end of a package transaction, and when that is. Pure: it is told of locks and changes.</summary>
internal sealed class TransactionTracker
{
    /// <summary>Then what waited goes on, whatever the package manager does.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);

    // More than any package manager makes in one run; what is beyond goes on at once, by whoever made it.
    private const int MaxChanges = 200_000;

    private readonly Dictionary<EntryKey, TransactionChange> _changes = [];
    private string? _manager;
    private DateTimeOffset _beganAt;
    private bool _isOverdue;
    private long _number;

    /// <summary>Whether locks are held and changes may wait.</summary>
    public bool IsOpen => _manager is not null;

    /// <param name="locks">Who holds them now. Empty ends a transaction: so it is told only after all changes that were queued before.</param>
    /// <returns>The transaction that this ends, or the one that took too long: its later changes come with another.</returns>
    public CompletedTransaction? LocksHeld(IReadOnlyList<PackageLock> locks, DateTimeOffset at)
    {
        if (locks.Count > 0 && _manager is null)
        {
            _manager = locks[0].Manager;
            _beganAt = at;
            _isOverdue = false;
            return null;
        }

        if (_manager is null)
            return null;
        if (locks.Count == 0)
        {
            var ended = _isOverdue && _changes.Count == 0 ? null : Complete(at);
            _manager = null;
            return ended;
        }

        if (at - _beganAt < LongestWait)
            return null;
        _isOverdue = true;
        var overdue = Complete(null);
        _beganAt = at;
        return overdue;
    }

    /// <returns>
    /// Whether the change waits. If not, it goes on at once; in an open transaction it is remembered all the same: of a packaged
    /// file it may turn out to be residue.
    /// </returns>
    public bool Changed(TransactionChange change)
    {
        if (_manager is null)
            return false;
        if (_changes.TryGetValue(change.Key, out var known))
            change = change with { IsDeep = known.IsDeep || change.IsDeep, UnchangedUntil = known.UnchangedUntil };
        else if (_changes.Count == MaxChanges)
            return false;
        _changes[change.Key] = change;
        return change.Belonging != Belonging.Outside;
    }

    private CompletedTransaction Complete(DateTimeOffset? endedAt)
    {
        TransactionChange[] changes = [.. _changes.Values.OrderBy(change => change.Key)];
        _changes.Clear();
        return new CompletedTransaction($"{_manager}-{_beganAt.ToUnixTimeMilliseconds()}-{++_number}", _manager!, _beganAt, endedAt, changes);
    }
}
