using System.Data.Common;
using Dapper;
using Telemetry.Collector.Deviations;

namespace Telemetry.Collector.Storage;

/// <summary>The outbox of transitions and of what else people are told, and how far each alert route has read it.</summary>
internal sealed class EventTable(DbConnection connection, DbTransaction transaction)
{
    /// <param name="events">Each with the deviation as it is right after, as message.</param>
    public void Add(IEnumerable<(Transition Transition, byte[] Body)> events, DateTimeOffset at) =>
        connection.Execute(
            """
            INSERT INTO events (deviation_id, number, transition, at, body)
                        VALUES (@DeviationId, @Number, @Kind, @At, @Body)
            """,
            events.Select(added => new
            {
                DeviationId = added.Transition.Deviation.Id,
                Number = (long)added.Transition.Deviation.Transitions,
                Kind = (long)added.Transition.Kind,
                At = at.ToUnixTimeMilliseconds(),
                added.Body,
            }),
            transaction);

    /// <summary>Adds that the identity of an instance is contested.</summary>
    /// <param name="body">Who, as message.</param>
    public void AddContested(byte[] body, DateTimeOffset at) =>
        connection.Execute(
            "INSERT INTO events (deviation_id, number, transition, at, body) VALUES (0, 0, 0, @at, @body)", new { at = at.ToUnixTimeMilliseconds(), body }, transaction);

    /// <summary>Position of the newest event, 0 when there is none.</summary>
    public long Last() =>
        connection.QuerySingle<long>("SELECT COALESCE(MAX(id), 0) FROM events", transaction: transaction);

    /// <summary>The next events behind a position, in order.</summary>
    public IReadOnlyList<StoredEvent> After(long position, int limit) =>
        [.. connection.Query<Row>(
                """
                SELECT id           AS Position,
                       deviation_id AS DeviationId,
                       number       AS Number,
                       transition   AS Kind,
                       at           AS At,
                       body         AS Body
                  FROM events
                 WHERE id > @position
                 ORDER BY id
                 LIMIT @limit
                """,
                new { position, limit }, transaction)
            .Select(row => row.ToEvent())];

    /// <summary>
    /// Forgets events from before a time. The newest stays whatever its age: a new follower begins at its position, and it is not given again.
    /// </summary>
    /// <param name="upTo">None behind this position goes.</param>
    /// <returns>How many went.</returns>
    public int DeleteBefore(DateTimeOffset time, long upTo, int most)
    {
        var forgotten = connection.Query<long>(
                """
                DELETE FROM events
                 WHERE id IN (SELECT id FROM events WHERE at < @before AND id <= @upTo AND id < (SELECT MAX(id) FROM events) LIMIT @most)
                RETURNING id
                """,
                new { before = time.ToUnixTimeMilliseconds(), upTo, most }, transaction)
            .AsList();
        if (forgotten.Count > 0)
            connection.Execute("UPDATE collector SET forgotten_event = MAX(forgotten_event, @newest)", new { newest = forgotten.Max() }, transaction);
        return forgotten.Count;
    }

    /// <summary>Position of the newest event that was forgotten, 0 when none was.</summary>
    public long Forgotten() => connection.QuerySingle<long>("SELECT forgotten_event FROM collector", transaction: transaction);

    /// <summary>The source of all events.</summary>
    public string CollectorId() =>
        connection.QuerySingle<string>("SELECT id FROM collector", transaction: transaction);

    /// <summary>How far a route has delivered; null when it is new.</summary>
    public long? DeliveredBy(string route) =>
        connection.QuerySingleOrDefault<long?>(
            "SELECT last_event FROM deliveries WHERE route = @route", new { route }, transaction);

    public void SetDelivered(string route, long position) =>
        connection.Execute(
            """
            INSERT INTO deliveries (route, last_event) VALUES (@route, @position)
            ON CONFLICT (route) DO UPDATE SET last_event = excluded.last_event
            """,
            new { route, position }, transaction);

    /// <summary>Up to where all of some routes have delivered; without any, the greatest position there can be.</summary>
    public long DeliveredByAll(IEnumerable<string> routes) =>
        connection.QuerySingle<long>(
            "SELECT COALESCE(MIN(last_event), @none) FROM deliveries WHERE route IN @routes", new { routes, none = long.MaxValue }, transaction);

    private sealed record Row(long Position, long DeviationId, long Number, long Kind, long At, byte[] Body)
    {
        public StoredEvent ToEvent() =>
            new(Position, DeviationId, (int)Number, (TransitionKind)Kind, DateTimeOffset.FromUnixTimeMilliseconds(At), Body);
    }
}

/// <summary>One transition, or something else to be told, as the outbox keeps it.</summary>
/// <param name="Position">Order in the outbox.</param>
/// <param name="Number">Within the episode, from 1: (deviation, number) names the event for ever.</param>
internal sealed record StoredEvent(
    long Position, long DeviationId, int Number, TransitionKind Kind, DateTimeOffset At, byte[] Body)
{
    /// <summary>It is no deviation's, but says that the identity of an instance is contested.</summary>
    public bool IsContested => DeviationId == 0;
}
