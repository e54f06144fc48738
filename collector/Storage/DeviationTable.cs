using System.Data.Common;
using Dapper;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Episodes of deviations, open and closed.</summary>
internal sealed class DeviationTable(DbConnection connection, DbTransaction transaction)
{
    private const string Select =
        """
        SELECT d.id              AS Id,
               d.instance_id     AS InstanceId,
               d.kind            AS Kind,
               d.key             AS Key,
               d.severity        AS Severity,
               d.state           AS State,
               d.baseline_id     AS BaselineId,
               d.expected        AS Expected,
               d.actual          AS Actual,
               d.opened_at       AS OpenedAt,
               d.closed_at       AS ClosedAt,
               d.observed_after  AS ObservedAfter,
               d.observed_before AS ObservedBefore,
               d.transitions     AS Transitions,
               d.actor_id        AS ActorId,
               d.cause_id        AS CauseId,
               d.membership      AS Membership,
               d.layer           AS Layer,
               d.owner           AS Owner,
               d.decision_id     AS DecisionId,
               d.decided_until   AS DecidedUntil
          FROM deviations d
        """;

    public Deviation Add(Deviation deviation)
    {
        var id = connection.QuerySingle<long>(
            """
            INSERT INTO deviations ( id,          instance_id, kind,  key,  severity,  state,  baseline_id,  expected,  actual,
                                     opened_at,  closed_at,  observed_after,  observed_before,  transitions,
                                     actor_id,   cause_id,   membership,  layer,  owner,  decision_id,  decided_until)
                            VALUES ((SELECT MAX(COALESCE((SELECT MAX(id) FROM deviations), 0), id_floor) + 1 FROM collector),
                                    @InstanceId, @Kind, @Key, @Severity, @State, @BaselineId,  @Expected, @Actual,
                                    @OpenedAt,  @ClosedAt,  @ObservedAfter,  @ObservedBefore,  @Transitions,
                                    @ActorId,   @CauseId,   @Membership, @Layer, @Owner, @DecisionId,  @DecidedUntil)
            RETURNING id
            """,
            Parameters(deviation), transaction);
        return deviation with { Id = id };
    }

    public void Update(params IEnumerable<Deviation> deviations) =>
        connection.Execute(
            """
            UPDATE deviations
               SET severity    = @Severity,
                   state       = @State,
                   baseline_id = @BaselineId,
                   expected    = @Expected,
                   actual      = @Actual,
                   closed_at   = @ClosedAt,
                   transitions = @Transitions,
                   actor_id    = @ActorId,
                   cause_id    = @CauseId,
                   membership  = @Membership,
                   layer       = @Layer,
                   owner       = @Owner,
                   decision_id = @DecisionId,
                   decided_until = @DecidedUntil
             WHERE id = @Id
            """,
            deviations.Select(Parameters), transaction);

    public Deviation? Find(long id) =>
        connection.QuerySingleOrDefault<Row>(Select + " WHERE d.id = @id", new { id }, transaction)?.ToDeviation();

    public IReadOnlyList<Deviation> OpenOf(string instanceId) =>
        [.. connection.Query<Row>(
                Select + " WHERE d.instance_id = @instanceId AND d.closed_at IS NULL ORDER BY d.id",
                new { instanceId }, transaction)
            .Select(row => row.ToDeviation())];

    /// <summary>Where else the same entry became the same since a time, by an instance of the same line: the first such place, and its cause.</summary>
    public (string InstanceId, long CauseId)? FirstElsewhere(Deviation deviation, string line, DateTimeOffset since) =>
        connection.QueryFirstOrDefault<(string, long)?>(
            """
            SELECT d.instance_id, d.cause_id
              FROM deviations d
              JOIN baselines  b ON b.id = d.baseline_id
              JOIN causes     c ON c.id = d.cause_id
             WHERE d.kind = @Kind AND d.key = @Key AND d.opened_at >= @Since
               AND d.instance_id <> @InstanceId AND COALESCE(d.actual, x'') = @Actual
               AND c.kind <> @Decision AND b.name = @line
             ORDER BY d.opened_at
             LIMIT 1
            """,
            new
            {
                Kind = (long)deviation.Kind,
                Key = deviation.Key.Bytes.ToArray(),
                Since = since.ToUnixTimeMilliseconds(),
                deviation.InstanceId,
                Actual = deviation.Actual ?? [],
                line,
                Decision = (long)CauseKind.Decision,
            },
            transaction);

    public IReadOnlyList<Deviation> OpenOfCause(long causeId) =>
        [.. connection.Query<Row>(
                Select + " WHERE d.cause_id = @causeId AND d.closed_at IS NULL ORDER BY d.id", new { causeId }, transaction)
            .Select(row => row.ToDeviation())];

    /// <summary>Instances on which a decision does not hold any more.</summary>
    public IReadOnlyList<string> InstancesDecidedUntil(DateTimeOffset upTo) =>
        [.. connection.Query<string>(
            "SELECT DISTINCT instance_id FROM deviations WHERE decided_until <= @UpTo AND closed_at IS NULL ORDER BY instance_id",
            new { UpTo = upTo.ToUnixTimeMilliseconds() }, transaction)];

    /// <summary>When the next decision ends; null: none does.</summary>
    public DateTimeOffset? NextEndOfDecision(DateTimeOffset after) =>
        connection.QuerySingle<long?>(
            "SELECT MIN(decided_until) FROM deviations WHERE decided_until > @After AND closed_at IS NULL",
            new { After = after.ToUnixTimeMilliseconds() }, transaction) is { } next
            ? DateTimeOffset.FromUnixTimeMilliseconds(next)
            : null;

    /// <summary>The open deviation of an entry, if nothing is known of how it came about.</summary>
    /// <param name="actual">Encoded fingerprint the entry must have; empty: it is gone.</param>
    public Deviation? OpenUnexplained(string instanceId, EntryKind kind, EntryKey key, byte[] actual) =>
        connection.QuerySingleOrDefault<Row>(
            Select +
            """
             LEFT JOIN causes c ON c.id = d.cause_id
             WHERE d.instance_id = @instanceId AND d.kind = @Kind AND d.key = @Key AND d.closed_at IS NULL
               AND COALESCE(d.actual, x'') = @actual
               AND d.actor_id IS NULL
               AND (c.id IS NULL OR c.kind = @Unexplained)
            """,
            new { instanceId, Kind = (long)kind, Key = key.Bytes.ToArray(), actual, Unexplained = (long)CauseKind.Unexplained },
            transaction)?.ToDeviation();

    /// <summary>What is open as it was told is the residue of a package transaction, whoever made it.</summary>
    public void MarkResidue(string instanceId, EntryKind kind, EntryKey key, byte[] actual) =>
        connection.Execute(
            """
            UPDATE deviations SET membership = @Residue
            WHERE  instance_id = @instanceId AND kind = @Kind AND key = @Key AND closed_at IS NULL AND COALESCE(actual, x'') = @actual
            """,
            new { instanceId, Kind = (long)kind, Key = key.Bytes.ToArray(), actual, Residue = (long)Membership.Residue },
            transaction);

    /// <summary>A page, newest first.</summary>
    /// <param name="below">Only ids below this one.</param>
    public IReadOnlyList<Deviation> Page(DeviationFilter filter, long below, int limit) =>
        [.. connection.Query<Row>(
                Select +
                """
                 WHERE d.id < @below
                   AND (@InstanceId IS NULL OR d.instance_id = @InstanceId)
                   AND (@State IS NULL OR d.state = @State)
                   AND (@Layer IS NULL OR d.layer = @Layer OR substr(d.layer, 1, length(@Layer) + 1) = @Layer || ':')
                   AND (@Owner IS NULL OR d.owner = @Owner)
                """ +
                (filter.CauseId is null ? "" : "\n   AND d.cause_id = @CauseId") +
                """

                 ORDER BY d.id DESC
                 LIMIT @limit
                """,
                new { filter.InstanceId, State = (long?)filter.State, filter.CauseId, filter.Layer, filter.Owner, below, limit }, transaction)
            .Select(row => row.ToDeviation())];

    /// <summary>What is not closed of every instance that has any.</summary>
    public ILookup<string, (DeviationState State, long Count)> NotClosed() =>
        connection.Query<(string InstanceId, long State, long Count)>(
                """
                SELECT instance_id, state, COUNT(*)
                  FROM deviations
                 WHERE closed_at IS NULL
                 GROUP BY instance_id, state
                """,
                transaction: transaction)
            .ToLookup(row => row.InstanceId, row => ((DeviationState)row.State, row.Count));

    /// <summary>The episodes of an instance that were open at some moment between two times.</summary>
    public IReadOnlyList<Episode> Between(string instanceId, DateTimeOffset from, DateTimeOffset to) =>
        [.. connection.Query<(long Severity, long OpenedAt, long? ClosedAt)>(
                """
                SELECT severity, opened_at, closed_at FROM deviations WHERE instance_id = @instanceId AND closed_at IS NULL AND opened_at <= @To
                UNION ALL
                SELECT severity, opened_at, closed_at FROM deviations WHERE instance_id = @instanceId AND closed_at > @From AND opened_at <= @To
                """,
                new { instanceId, From = from.ToUnixTimeMilliseconds(), To = to.ToUnixTimeMilliseconds() }, transaction)
            .Select(row => new Episode(
                (Severity)row.Severity,
                DateTimeOffset.FromUnixTimeMilliseconds(row.OpenedAt),
                row.ClosedAt is { } closed ? DateTimeOffset.FromUnixTimeMilliseconds(closed) : null))];

    /// <summary>Some that closed before a time. The newest of all is none of them whenever it closed: its id is not given again.</summary>
    public IReadOnlyList<long> ClosedBefore(DateTimeOffset time, int most) =>
        [.. connection.Query<long>(
            // By instance, as the index has them: an index by time alone would cost every deviation that closes.
            """
            SELECT d.id
              FROM instances  i
              CROSS JOIN deviations d INDEXED BY deviations_closed ON d.instance_id = i.id
             WHERE d.closed_at < @before AND d.id <> (SELECT MAX(id) FROM deviations)
             LIMIT @most
            """,
            new { before = time.ToUnixTimeMilliseconds(), most }, transaction)];

    /// <returns>How many there were.</returns>
    public int Delete(IReadOnlyList<long> ids) =>
        connection.Execute("DELETE FROM deviations WHERE id IN @ids", new { ids }, transaction);

    private static object Parameters(Deviation deviation) => new
    {
        deviation.Id,
        deviation.InstanceId,
        Kind = (long)deviation.Kind,
        Key = deviation.Key.Bytes.ToArray(),
        Severity = (long)deviation.Severity,
        State = (long)deviation.State,
        deviation.BaselineId,
        deviation.Expected,
        deviation.Actual,
        OpenedAt = deviation.OpenedAt.ToUnixTimeMilliseconds(),
        ClosedAt = deviation.ClosedAt?.ToUnixTimeMilliseconds(),
        ObservedAfter = deviation.ObservedAfter?.ToUnixTimeMilliseconds(),
        ObservedBefore = deviation.ObservedBefore.ToUnixTimeMilliseconds(),
        Transitions = (long)deviation.Transitions,
        deviation.ActorId,
        deviation.CauseId,
        Membership = (long)deviation.Membership,
        Layer = deviation.Attributed?.Layer ?? "",
        Owner = deviation.Attributed?.Owner ?? "",
        deviation.DecisionId,
        DecidedUntil = deviation.DecidedUntil?.ToUnixTimeMilliseconds(),
    };

    private sealed record Row(
        long Id, string InstanceId, long Kind, byte[] Key, long Severity, long State, long BaselineId,
        byte[]? Expected, byte[]? Actual, long OpenedAt, long? ClosedAt, long? ObservedAfter, long ObservedBefore, long Transitions,
        long? ActorId, long? CauseId, long Membership, string Layer, string Owner, long? DecisionId, long? DecidedUntil)
    {
        public Deviation ToDeviation() => new(
            Id,
            InstanceId,
            (EntryKind)Kind,
            new EntryKey(Key),
            (Severity)Severity,
            (DeviationState)State,
            BaselineId,
            Expected,
            Actual,
            DateTimeOffset.FromUnixTimeMilliseconds(OpenedAt),
            ClosedAt is { } closed ? DateTimeOffset.FromUnixTimeMilliseconds(closed) : null,
            ObservedAfter is { } after ? DateTimeOffset.FromUnixTimeMilliseconds(after) : null,
            DateTimeOffset.FromUnixTimeMilliseconds(ObservedBefore),
            (int)Transitions)
        {
            ActorId = ActorId,
            CauseId = CauseId,
            Membership = (Membership)Membership,
            Attributed = Layer.Length == 0 ? null : new Attributed(Layer, Owner),
            DecisionId = DecisionId,
            DecidedUntil = DecidedUntil is { } until ? DateTimeOffset.FromUnixTimeMilliseconds(until) : null,
        };
    }
}

/// <summary>Which deviations are wanted; what is null does not matter.</summary>
/// <param name="Layer">Name and version, or the name alone: all its versions.</param>
/// <param name="Owner">Of the layer.</param>
internal sealed record DeviationFilter(string? InstanceId = null, DeviationState? State = null, long? CauseId = null, string? Layer = null, string? Owner = null);
