using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Telemetry.Agent.Checks;

/// <summary>When each check is due. Their starts are spread by their names, so that they are never all due at once, nor at every start anew. Pure.</summary>
internal sealed class CheckSchedule
{
    /// <summary>Nobody waits a day for the first result of a check that runs once a day.</summary>
    private static readonly TimeSpan LongestSpread = TimeSpan.FromSeconds(30);

    private readonly PriorityQueue<DeclaredCheck, DateTimeOffset> _due = new();

    public CheckSchedule(IEnumerable<DeclaredCheck> checks, DateTimeOffset now)
    {
        foreach (var check in checks)
            _due.Enqueue(check, now + (Share(check.Id) * (check.Check.Interval < LongestSpread ? check.Check.Interval : LongestSpread)));
    }

    public DateTimeOffset? Next => _due.TryPeek(out _, out var due) ? due : null;

    /// <summary>The one that is due longest, and when it is due again: those that were missed meanwhile are left out.</summary>
    public DeclaredCheck? Take(DateTimeOffset now)
    {
        if (!_due.TryPeek(out var check, out var due) || due > now)
            return null;
        var interval = check.Check.Interval;
        _due.DequeueEnqueue(check, due + (interval * (Math.Floor((now - due) / interval) + 1)));
        return check;
    }

    /// <summary>The clock was set back: no check waits for longer than its interval.</summary>
    public void Forget(DateTimeOffset now)
    {
        var checks = _due.UnorderedItems.ToList();
        _due.Clear();
        foreach (var (check, due) in checks)
            _due.Enqueue(check, due <= now + check.Check.Interval ? due : now + check.Check.Interval);
    }

    /// <summary>From 0 to 1, always the same of one name.</summary>
    private static double Share(string id) =>
        BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(id))) / (double)(1L << 32);
}
