using System.Data.Common;
using Dapper;
using Telemetry.Collector.Causes;

namespace Telemetry.Collector.Storage;

/// <summary>Instances to be judged anew. Who changes what judges them adds them in the same transaction, so that no crash forgets one.</summary>
internal sealed class PendingTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>Tries that fail are this far apart at first, and then twice as far each time.</summary>
    public static readonly TimeSpan ShortestPause = TimeSpan.FromMinutes(1);

    /// <summary>And never further.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>Then it is left alone until something new is to be said of it: some four hours after the first.</summary>
    public const int MostAttempts = 10;

    /// <summary>Adds instances; those that are there are tried at once again.</summary>
    /// <param name="reason">Counts from now on, whatever the reason was before.</param>
    public void Add(IEnumerable<string> instanceIds, JudgedAnew reason) =>
        connection.Execute(
            """
            INSERT INTO pending_judgements (instance_id, decided_by, decision, decided_at) VALUES (@instanceId, @By, @What, @At)
            ON CONFLICT (instance_id) DO UPDATE
               SET decided_by = excluded.decided_by,
                   decision   = excluded.decision,
                   decided_at = excluded.decided_at,
                   attempts   = 0,
                   due_at     = 0
            """,
            instanceIds.Select(instanceId => new { instanceId, reason.By, reason.What, At = reason.At.ToUnixTimeMilliseconds() }), transaction);

    public void Remove(string instanceId) =>
        connection.Execute("DELETE FROM pending_judgements WHERE instance_id = @instanceId", new { instanceId }, transaction);

    /// <summary>Null: it does not wait.</summary>
    public PendingJudgement? Find(string instanceId) =>
        connection.QuerySingleOrDefault<Row>(
            """
            SELECT decided_by AS DecidedBy,
                   decision   AS Decision,
                   decided_at AS DecidedAt,
                   attempts   AS Attempts,
                   due_at     AS DueAt
              FROM pending_judgements
             WHERE instance_id = @instanceId
            """,
            new { instanceId }, transaction)?.ToPending();

    /// <summary>The first of those that are due, in the order they were added.</summary>
    /// <param name="after">Only those behind this one; 0: all.</param>
    public IReadOnlyList<(long Id, string InstanceId)> After(long after, int most, DateTimeOffset now) =>
        [.. connection.Query<(long, string)>(
            "SELECT id, instance_id FROM pending_judgements WHERE id > @after AND due_at <= @Now ORDER BY id LIMIT @most",
            new { after, most, Now = now.ToUnixTimeMilliseconds() }, transaction)];

    /// <summary>How many are to be tried at once.</summary>
    public long Count() => connection.QuerySingle<long>("SELECT COUNT(*) FROM pending_judgements WHERE attempts = 0 AND due_at = 0", transaction: transaction);

    /// <summary>An instance is not judged before a time.</summary>
    public void PutOff(string instanceId, DateTimeOffset due) =>
        connection.Execute(
            """
            INSERT INTO pending_judgements (instance_id, due_at) VALUES (@instanceId, @Due)
            ON CONFLICT (instance_id) DO UPDATE SET due_at = excluded.due_at
            """,
            new { instanceId, Due = due.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>Notes that an instance, whether it was asked for or not, could not be judged, and when it is tried again.</summary>
    public PendingJudgement Failed(string instanceId, DateTimeOffset now)
    {
        var attempts = (Find(instanceId)?.Attempts ?? 0) + 1;
        var pause = ShortestPause * Math.Pow(2, Math.Min(attempts, MostAttempts) - 1);
        DateTimeOffset? due = attempts >= MostAttempts ? null : now + (pause < LongestPause ? pause : LongestPause);
        connection.Execute(
            """
            INSERT INTO pending_judgements (instance_id, attempts, due_at) VALUES (@instanceId, @attempts, @Due)
            ON CONFLICT (instance_id) DO UPDATE SET attempts = excluded.attempts, due_at = excluded.due_at
            """,
            new { instanceId, attempts, Due = due?.ToUnixTimeMilliseconds() }, transaction);
        return Find(instanceId)!;
    }

    /// <summary>Whoever failed may try at once again.</summary>
    public void Retry() =>
        connection.Execute("UPDATE pending_judgements SET attempts = 0, due_at = 0 WHERE attempts > 0", transaction: transaction);

    private sealed record Row(string? DecidedBy, string? Decision, long? DecidedAt, long Attempts, long? DueAt)
    {
        public PendingJudgement ToPending() => new(
            Decision is null ? null : new JudgedAnew(DecidedBy ?? "", Decision, DateTimeOffset.FromUnixTimeMilliseconds(DecidedAt ?? 0)),
            (int)Attempts,
            DueAt is { } due ? DateTimeOffset.FromUnixTimeMilliseconds(due) : null);
    }
}

/// <summary>That an instance is to be judged.</summary>
/// <param name="Reason">Null: none, it failed before.</param>
/// <param name="Attempts">That failed.</param>
/// <param name="DueAt">Not tried before; null: not by itself any more.</param>
internal sealed record PendingJudgement(JudgedAnew? Reason, int Attempts, DateTimeOffset? DueAt);
