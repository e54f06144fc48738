using System.Data.Common;
using Dapper;
using Google.Protobuf;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Storage;

/// <summary>What explains groups of deviations.</summary>
internal sealed class CauseTable(DbConnection connection, DbTransaction transaction)
{
    private const string Select =
        """
        SELECT c.id       AS Id,
               c.kind     AS Kind,
               c.summary  AS Summary,
               c.packages AS Packages,
               c.began_at AS BeganAt,
               c.decided_by AS DecidedBy
          FROM causes c
        """;

    private const string HasNoDeviation = "NOT EXISTS (SELECT 1 FROM deviations d WHERE d.cause_id = causes.id)";

    /// <summary>That are looked at for whose an entry is.</summary>
    private const int MostEpisodes = 100;

    /// <summary>The cause this belongs to: one that takes it in, else a new one.</summary>
    public Cause Join(CauseIdentity identity)
    {
        var at = identity.At.ToUnixTimeMilliseconds();
        var window = (long?)identity.Window?.TotalMilliseconds;
        var known = connection.QueryFirstOrDefault<Row>(
            Select + " WHERE c.key = @Key AND (@window IS NULL OR ABS(c.began_at - @at) <= @window) ORDER BY c.id DESC LIMIT 1",
            new { Key = identity.Key.ToArray(), window, at }, transaction);
        if (known is null)
            return Add(identity, at);
        if (at >= known.BeganAt)
            return known.ToCause();

        connection.Execute("UPDATE causes SET began_at = @at WHERE id = @Id", new { at, known.Id }, transaction);
        return known.ToCause() with { BeganAt = identity.At };
    }

    public Cause? Find(long id) =>
        connection.QuerySingleOrDefault<Row>(Select + " WHERE c.id = @id", new { id }, transaction)?.ToCause();

    /// <summary>A page of those that have deviations, newest first.</summary>
    /// <param name="below">Only ids below this one.</param>
    public IReadOnlyList<Cause> Page(string? instanceId, long below, int limit) =>
        [.. connection.Query<Row>(
                Select +
                """
                 WHERE c.id < @below
                   AND EXISTS (SELECT 1
                                 FROM deviations d
                                WHERE d.cause_id = c.id
                                  AND (@instanceId IS NULL OR d.instance_id = @instanceId))
                 ORDER BY c.id DESC
                 LIMIT @limit
                """,
                new { instanceId, below, limit }, transaction)
            .Select(row => row.ToCause())];

    public CauseCounts CountsOf(long id) =>
        connection.QuerySingle<CauseCounts>(
            """
            SELECT COUNT(*)                                        AS Deviations,
                   COUNT(CASE WHEN state = @Open AND closed_at IS NULL THEN 1 END) AS Open,
                   COUNT(DISTINCT instance_id)                     AS Instances,
                   COUNT(CASE WHEN kind       = 1 THEN 1 END)      AS Files,
                   COUNT(CASE WHEN membership = 2 THEN 1 END)      AS Unverified
              FROM deviations
             WHERE cause_id = @id
            """,
            new { id, Open = (long)DeviationState.Open }, transaction);

    /// <summary>What the instances of a cause agree on.</summary>
    public CauseAgreement AgreementOf(Cause cause) => new(
        cause.Kind,
        connection.QuerySingle<long>("SELECT COUNT(DISTINCT instance_id) FROM deviations WHERE cause_id = @Id", new { cause.Id }, transaction),
        connection.Query<(long Kind, byte[] Key, byte[] Actual, long Having)>(
                """
                SELECT kind, key, COALESCE(actual, x''), COUNT(DISTINCT instance_id)
                  FROM deviations
                 WHERE cause_id = @Id
                 GROUP BY kind, key, COALESCE(actual, x'')
                """,
                new { cause.Id }, transaction)
            .ToDictionary(row => ((EntryKind)row.Kind, new EntryKey(row.Key), new ByteText(row.Actual)), row => row.Having));

    /// <summary>The package an entry is known to belong to: it was proven to be of a transaction that had no other; null: nobody knows.</summary>
    public string? PackageOf(EntryKind kind, EntryKey key) =>
        connection.Query<Row>(
                Select +
                """
                  JOIN deviations d ON d.cause_id = c.id
                 WHERE d.kind = @Kind AND d.key = @Key AND d.membership = @Verified AND c.kind = @Packages
                 ORDER BY d.opened_at DESC
                 LIMIT @MostEpisodes
                """,
                new { Kind = (long)kind, Key = key.Bytes.ToArray(), Verified = (long)Membership.Verified, Packages = (long)CauseKind.Packages, MostEpisodes },
                transaction)
            .Select(row => row.ToCause().Packages)
            .Where(packages => packages.Length == 1)
            .Select(packages => packages[0].Name)
            .FirstOrDefault();

    /// <summary>Instances with deviations of a cause, by id.</summary>
    public IReadOnlyList<string> InstancesOf(long id, int limit) =>
        [.. connection.Query<string>(
            "SELECT DISTINCT instance_id FROM deviations WHERE cause_id = @id ORDER BY instance_id LIMIT @limit",
            new { id, limit }, transaction)];

    /// <summary>Those that no deviation belongs to any more: it changed again, or turned out to have another.</summary>
    public IReadOnlyList<long> Unused() =>
        [.. connection.Query<long>("SELECT id FROM causes WHERE " + HasNoDeviation, transaction: transaction)];

    /// <summary>Drops those of some that no deviation belongs to.</summary>
    public void DeleteUnused(IEnumerable<long> ids) =>
        connection.Execute("DELETE FROM causes WHERE id = @id AND " + HasNoDeviation, ids.Select(id => new { id }), transaction);

    private Cause Add(CauseIdentity identity, long at)
    {
        var id = connection.QuerySingle<long>(
            """
            INSERT INTO causes ( id,    kind,  key,  summary,  packages, began_at, decided_by)
                        VALUES ((SELECT MAX(COALESCE((SELECT MAX(id) FROM causes), 0), id_floor) + 1 FROM collector),
                                @Kind, @Key, @Summary, @Packages, @at, @DecidedBy)
            RETURNING id
            """,
            new { Kind = (long)identity.Kind, Key = identity.Key.ToArray(), identity.Summary, Packages = Encode(identity), at, identity.DecidedBy },
            transaction);
        return new Cause(id, identity.Kind, identity.Summary, identity.Packages, identity.At) { DecidedBy = identity.DecidedBy };
    }

    private static byte[]? Encode(CauseIdentity identity)
    {
        if (identity.Packages.IsEmpty)
            return null;

        var message = new V1.PackageTransaction();
        message.Packages.AddRange(identity.Packages.Select(PackageMapping.ToMessage));
        return message.ToByteArray();
    }

    private sealed record Row(long Id, long Kind, string Summary, byte[]? Packages, long BeganAt, string? DecidedBy)
    {
        public Cause ToCause() => new(
            Id,
            (CauseKind)Kind,
            Summary,
            Packages is null ? [] : [.. V1.PackageTransaction.Parser.ParseFrom(Packages).Packages.Select(PackageMapping.ToModel)],
            DateTimeOffset.FromUnixTimeMilliseconds(BeganAt))
        {
            DecidedBy = DecidedBy,
        };
    }
}
