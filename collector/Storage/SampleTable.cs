using System.Data.Common;
using Dapper;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>What is sampled of all instances at once: a query each, however many there are.</summary>
internal sealed class SampleTable(DbConnection connection, DbTransaction transaction)
{
    public FleetSample Take()
    {
        var instances = connection.Query<InstanceRow>(
            """
            SELECT i.id                                   AS Id,
                   i.name                                 AS Name,
                   i.image                                AS Image,
                   COALESCE(b.name || ':' || b.version, '') AS Baseline,
                   i.instance_group                       AS InstanceGroup,
                   i.customer                             AS Customer,
                   i.comparison = ''                      AS IsCovered,
                   s.began_at                             AS ConnectedSince
              FROM instances i
              LEFT JOIN baselines b ON b.id = i.judged_id
              LEFT JOIN (SELECT instance_id, MAX(began_at) AS began_at FROM sessions WHERE ended_at IS NULL GROUP BY instance_id) s ON s.instance_id = i.id
             ORDER BY i.id
            """,
            transaction: transaction);
        var drift = connection.Query<DriftRow>(
            """
            SELECT instance_id                                    AS InstanceId,
                   layer                                          AS Layer,
                   owner                                          AS Owner,
                   kind                                           AS Kind,
                   severity                                       AS Severity,
                   COUNT(*)                                       AS Count,
                   SUM(state IN (@Open, @Acknowledged) AND severity > @Info)      AS Undecided,
                   MIN(opened_at)                                 AS Since
              FROM deviations INDEXED BY deviations_sampled
             WHERE closed_at IS NULL
             GROUP BY instance_id, layer, owner, kind, severity
            """,
            new { Info = (long)Severity.Info, Open = (long)DeviationState.Open, Acknowledged = (long)DeviationState.Acknowledged }, transaction);
        var checks = connection.Query<(string InstanceId, string Layer, string Name, string Owner, long Since)>(
            """
            SELECT s.instance_id, c.layer, c.name, c.owner, s.began_at
              FROM state_intervals s
              JOIN check_states c ON c.instance_id = s.instance_id AND c.layer || '/' || c.name = s.name
             WHERE s.source = @Check AND s.ended_at IS NULL
            """,
            new { Check = (long)DownSource.Check }, transaction);
        return new FleetSample(
            [.. instances.Select(row => row.ToSampled())],
            drift.Select(row => (row.InstanceId, Open: row.ToOpen())).ToLookup(row => row.InstanceId, row => row.Open),
            checks.ToLookup(row => row.InstanceId, row => new FailingCheck(row.Layer, row.Name, row.Owner, row.Since)));
    }

    // By property: of an expression the type is not known when there is no row.
    private sealed record InstanceRow
    {
        public required string Id { get; init; }

        public required string Name { get; init; }

        public required string Image { get; init; }

        public required string Baseline { get; init; }

        public required string InstanceGroup { get; init; }

        public required string Customer { get; init; }

        public bool IsCovered { get; init; }

        public long? ConnectedSince { get; init; }

        public SampledInstance ToSampled() => new(new InstanceTags(Id, Name, Image, Baseline, InstanceGroup, Customer), IsCovered, ConnectedSince);
    }

    private sealed record DriftRow
    {
        public required string InstanceId { get; init; }

        public required string Layer { get; init; }

        public required string Owner { get; init; }

        public long Kind { get; init; }

        public long Severity { get; init; }

        public long Count { get; init; }

        public long Undecided { get; init; }

        public long Since { get; init; }

        public OpenDeviations ToOpen() => new(Layer, Owner, (EntryKind)Kind, (Severity)Severity, Count, Undecided, Since);
    }
}
