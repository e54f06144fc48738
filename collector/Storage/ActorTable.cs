using System.Data.Common;
using Dapper;
using Google.Protobuf;
using Telemetry.Collector.Causes;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Storage;

/// <summary>Processes that made changes, once each.</summary>
internal sealed class ActorTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>That a trim looks at: more than come between two.</summary>
    private const int Newest = 5_000;

    private const string Unnamed =
        """
            NOT EXISTS (SELECT 1 FROM changes    c WHERE c.actor_id = actors.id)
        AND NOT EXISTS (SELECT 1 FROM deviations d WHERE d.actor_id = actors.id)
        """;

    /// <returns>The id, of the one that is there already if there is one.</returns>
    public long Add(Actor actor)
    {
        var body = actor.ToMessage().ToByteArray();
        return connection.QuerySingle<long>(
            """
            INSERT INTO actors (digest, body) VALUES (@Digest, @Body)
            ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest
            RETURNING id
            """,
            new { Digest = Digest.Of(body).ToArray(), Body = body }, transaction);
    }

    /// <summary>One that a change or a deviation names.</summary>
    public Actor Get(long id) =>
        ActorMapping.Stored(V1.Actor.Parser.ParseFrom(
            connection.QuerySingle<byte[]>("SELECT body FROM actors WHERE id = @id", new { id }, transaction)));

    /// <summary>Those that nothing names any more.</summary>
    public IReadOnlyList<long> Unused() =>
        [.. connection.Query<long>("SELECT id FROM actors WHERE " + Unnamed, transaction: transaction)];

    /// <summary>Drops those of some that nothing names.</summary>
    public void DeleteUnused(IEnumerable<long> ids) =>
        connection.Execute("DELETE FROM actors WHERE id = @id AND " + Unnamed, ids.Select(id => new { id }), transaction);

    /// <summary>The same of the newest: who rewrites one record again and again leaves them behind.</summary>
    public void DeleteNewestUnused() =>
        connection.Execute("DELETE FROM actors WHERE id > (SELECT MAX(id) FROM actors) - @Newest AND " + Unnamed, new { Newest }, transaction);
}
