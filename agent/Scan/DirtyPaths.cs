using Telemetry.Agent.Watch;
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
    private readonly PriorityQueue<EntryKey, DateTimeOffset> _due = new();  // some that are due at another time, or were taken
    private readonly Dictionary<EntryKey, DateTimeOffset> _notBefore = [];
    private readonly PriorityQueue<EntryKey, DateTimeOffset> _calm = new();
    private Loss? _loss;

    /// <summary>How many paths are marked.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _paths.Count;
        }
    }

    /// <param name="isDeep">With all below it.</param>
    /// <param name="unchangedUntil">When it was surely still as it was seen last.</param>
    /// <param name="isSettling">Whether more is to come soon.</param>
    /// <param name="origin">Null: nobody knows.</param>
    public void Add(EntryKey key, bool isDeep, DateTimeOffset unchangedUntil, bool isSettling = false, ChangeOrigin? origin = null)
    {
        lock (_gate)
            AddLocked(key, new Dirt(isDeep, default, unchangedUntil, origin), isSettling);
        Wake();
    }

    /// <summary>Marks many, so that they are looked at together.</summary>
    public void Add(IEnumerable<(EntryKey Key, Dirt Dirt)> paths)
    {
        lock (_gate)
        {
            foreach (var (key, dirt) in paths)
                AddLocked(key, dirt, isSettling: false);
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
            if (_loss is { } loss)
            {
                _loss = null;
                return new DirtyPart([], loss);
            }

            while (_calm.TryPeek(out var key, out var until) && until <= now)
            {
                _calm.Dequeue();
                if (_notBefore.GetValueOrDefault(key) <= now)
                    _notBefore.Remove(key);
            }

            var taken = new List<KeyValuePair<EntryKey, Dirt>>();
            while (taken.Count < MaxTaken && NextLocked() <= now)
            {
                var key = _due.Dequeue();
                _paths.Remove(key, out var dirt);
                taken.Add(new(key, dirt));
                PostponeLocked(key, now + Settling);
            }

            return new DirtyPart(taken, loss: null);
        }
    }

    /// <summary>What was taken was not looked at after all.</summary>
    public void PutBack(DirtyPart taken)
    {
        if (taken.Loss is { } loss)
            AddEverything(loss.Since, loss.Reason);
        foreach (var (key, dirt) in taken.Paths)
            Add(key, dirt.IsDeep, dirt.UnchangedUntil, isSettling: true, dirt.Origin);
    }

    /// <summary>A large file is not read again at once, however often it changes.</summary>
    public void Postpone(EntryKey key, TimeSpan time)
    {
        lock (_gate)
            PostponeLocked(key, clock.GetUtcNow() + time);
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

    private void AddLocked(EntryKey key, Dirt dirt, bool isSettling)
    {
        var due = clock.GetUtcNow();
        if (isSettling)
            due += Settling;
        if (_notBefore.TryGetValue(key, out var earliest) && earliest > due)
            due = earliest;

        if (_paths.TryGetValue(key, out var known))
        {
            due = isSettling && known.Due < due ? known.Due : due;
            dirt = new Dirt(known.IsDeep || dirt.IsDeep, due, Earlier(known.UnchangedUntil, dirt.UnchangedUntil), dirt.Origin ?? known.Origin);
        }
        else if (_paths.Count == MaxPaths)
        {
            Lose(dirt.UnchangedUntil, "more changed at once than can be told apart");
            return;
        }

        _paths[key] = dirt with { Due = due };
        if (known.Due != due)
            _due.Enqueue(key, due);
    }

    private void PostponeLocked(EntryKey key, DateTimeOffset until)
    {
        _notBefore[key] = until;
        _calm.Enqueue(key, until);
    }

    private DateTimeOffset NextDue()
    {
        lock (_gate)
            return _loss is null ? NextLocked() : DateTimeOffset.MinValue;
    }

    /// <summary>When the first path is due, which is at the head of the queue then.</summary>
    private DateTimeOffset NextLocked()
    {
        while (_due.TryPeek(out var key, out var due))
        {
            if (_paths.TryGetValue(key, out var dirt) && dirt.Due == due)
                return due;
            _due.Dequeue();
        }

        return DateTimeOffset.MaxValue;
    }

    private void Lose(DateTimeOffset since, string? reason)
    {
        _loss = _loss is { } known ? new Loss(Earlier(known.Since, since), known.Reason ?? reason) : new Loss(since, reason);

        // Where nothing was missed, the paths that are marked still tell who changed them, after the look at everything.
        if (_loss.Reason is null)
            return;
        _paths.Clear();
        _due.Clear();
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

/// <summary>Why a path has to be looked at.</summary>
/// <param name="IsDeep">With all below it.</param>
/// <param name="Due">Not before.</param>
/// <param name="UnchangedUntil">When it was surely still as it was seen last.</param>
/// <param name="Origin">Of the last change; null: nobody knows.</param>
internal readonly record struct Dirt(bool IsDeep, DateTimeOffset Due, DateTimeOffset UnchangedUntil, ChangeOrigin? Origin);

/// <param name="Since">Until then nothing was missed.</param>
/// <param name="Reason">Null: nothing was missed, but more is to be looked at than can be named.</param>
internal sealed record Loss(DateTimeOffset Since, string? Reason);
