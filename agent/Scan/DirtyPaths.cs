using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>What has to be looked at again, whatever its stamps prove. Marked by who watches and who scrubs, taken by the scan.</summary>
internal sealed class DirtyPaths(TimeProvider clock) : IDisposable
{
    // More are no longer parts of a tree: looking at everything costs less.
    private const int MaxPaths = 200_000;

    // What one look takes at a time: of a burst, not all is in memory at once.
    private const int MaxTaken = 4096;

    /// <summary>How long a path waits that is likely to change again: one that was looked at just now, or is still being written.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _marked = new(0, 1);
    private readonly Dictionary<EntryKey, Dirt> _paths = [];
    private readonly Dictionary<EntryKey, DateTimeOffset> _notBefore = [];
    private Loss? _loss;

    /// <param name="isDeep">With all below it.</param>
    /// <param name="unchangedUntil">When it was surely still as it was seen last.</param>
    /// <param name="isSettling">Whether more is to come soon.</param>
    public void Add(EntryKey key, bool isDeep, DateTimeOffset unchangedUntil, bool isSettling = false)
    {
        var due = clock.GetUtcNow();
        lock (_gate)
        {
            if (isSettling)
                due += Settling;
            if (_notBefore.TryGetValue(key, out var earliest) && earliest > due)
                due = earliest;

            if (_paths.TryGetValue(key, out var known))
                _paths[key] = new Dirt(known.IsDeep || isDeep, known.Due < due && isSettling ? known.Due : due, Earlier(known.UnchangedUntil, unchangedUntil));
            else if (_paths.Count < MaxPaths)
                _paths.Add(key, new Dirt(isDeep, due, unchangedUntil));
            else
                Lose(unchangedUntil, "more changed at once than can be told apart");
        }

        Wake();
    }

    /// <summary>Something may have changed, and nobody knows what.</summary>
    /// <param name="since">Until then nothing was missed.</param>
    public void AddEverything(DateTimeOffset since, string? reason)
    {
        lock (_gate)
            Lose(since, reason);
        Wake();
    }

    /// <summary>Takes what is due. While <see cref="DirtyPart.Loss"/> is set, only a look at everything helps.</summary>
    public DirtyPart Take()
    {
        var now = clock.GetUtcNow();
        lock (_gate)
        {
            if (_loss is not null)
                return TakeAllLocked();

            var due = _paths.Where(path => path.Value.Due <= now).Take(MaxTaken).ToList();
            foreach (var path in due)
                _paths.Remove(path.Key);
            foreach (var old in _notBefore.Where(entry => entry.Value <= now).Select(entry => entry.Key).ToList())
                _notBefore.Remove(old);
            foreach (var path in due)
                _notBefore[path.Key] = now + Settling;
            return DirtyPart.Of(due, loss: null);
        }
    }

    /// <summary>Takes everything: a look at everything begins.</summary>
    public DirtyPart TakeAll()
    {
        lock (_gate)
            return TakeAllLocked();
    }

    /// <summary>What was taken was not looked at after all.</summary>
    public void PutBack(DirtyPart taken)
    {
        if (taken.Loss is { } loss)
            AddEverything(loss.Since, loss.Reason);
        foreach (var part in taken.Parts)
            Add(part.Key, part.IsDeep, taken.UnchangedUntil ?? DateTimeOffset.MinValue, isSettling: true);
    }

    /// <summary>A large file is not read again at once, however often it changes.</summary>
    public void Postpone(EntryKey key, TimeSpan time)
    {
        lock (_gate)
            _notBefore[key] = clock.GetUtcNow() + time;
    }

    /// <summary>Waits until something is due.</summary>
    /// <returns>False when the time is up.</returns>
    public async Task<bool> WaitAsync(TimeSpan time, CancellationToken cancellation)
    {
        var end = clock.GetUtcNow() + time;
        while (true)
        {
            var now = clock.GetUtcNow();
            var next = NextDue();
            if (next <= now)
                return true;
            if (now >= end)
                return false;
            var wait = (next < end ? next : end) - now;
            await _marked.WaitAsync(wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1), cancellation);
        }
    }

    public void Dispose() => _marked.Dispose();

    private DateTimeOffset NextDue()
    {
        lock (_gate)
        {
            if (_loss is not null)
                return DateTimeOffset.MinValue;
            var next = DateTimeOffset.MaxValue;
            foreach (var dirt in _paths.Values)
            {
                if (dirt.Due < next)
                    next = dirt.Due;
            }

            return next;
        }
    }

    private DirtyPart TakeAllLocked()
    {
        var taken = DirtyPart.Of([.. _paths], _loss);
        _paths.Clear();
        _loss = null;
        return taken;
    }

    private void Lose(DateTimeOffset since, string? reason)
    {
        _loss = _loss is { } known ? new Loss(Earlier(known.Since, since), known.Reason ?? reason) : new Loss(since, reason);
        _paths.Clear();
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_marked.CurrentCount == 0)
                _marked.Release();
        }
    }

    private static DateTimeOffset Earlier(DateTimeOffset left, DateTimeOffset right) => left < right ? left : right;
}

/// <summary>One path that has to be looked at.</summary>
internal readonly record struct Dirt(bool IsDeep, DateTimeOffset Due, DateTimeOffset UnchangedUntil);

/// <param name="Since">Until then nothing was missed.</param>
/// <param name="Reason">Null: nothing was missed, but more is to be looked at than can be named.</param>
internal sealed record Loss(DateTimeOffset Since, string? Reason);

/// <summary>What one look has to look at.</summary>
/// <param name="Parts">Apart from each other, in key order.</param>
/// <param name="UnchangedUntil">When all of it was surely still as it was seen last; null when there is nothing.</param>
/// <param name="Loss">Set when more may have changed than is known.</param>
internal sealed record DirtyPart(IReadOnlyList<LookPart> Parts, DateTimeOffset? UnchangedUntil, Loss? Loss)
{
    public static readonly DirtyPart Nothing = new([], null, null);

    public DirtyPart With(DirtyPart other) => new(
        [.. Parts.Concat(other.Parts).GroupBy(part => part.Key).Select(same => new LookPart(same.Key, same.Any(part => part.IsDeep))).OrderBy(part => part.Key)],
        UnchangedUntil is null || other.UnchangedUntil < UnchangedUntil ? other.UnchangedUntil ?? UnchangedUntil : UnchangedUntil,
        Loss is null || other.Loss?.Since < Loss.Since ? other.Loss ?? Loss : Loss);

    public static DirtyPart Of(IReadOnlyList<KeyValuePair<EntryKey, Dirt>> paths, Loss? loss)
    {
        var parts = new List<LookPart>(paths.Count);
        foreach (var (key, dirt) in paths.OrderBy(path => path.Key))
        {
            // What lies below a part that is looked at as a whole is met on the way.
            if (parts.Count == 0 || !parts[^1].IsDeep || !key.IsUnder(parts[^1].Key))
                parts.Add(new LookPart(key, dirt.IsDeep));
        }

        return new DirtyPart(parts, paths.Count == 0 ? null : paths.Min(path => path.Value.UnchangedUntil), loss);
    }
}
