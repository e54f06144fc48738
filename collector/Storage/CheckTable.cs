using System.Data.Common;
using Dapper;
using Telemetry.Collector.Checks;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>How the checks of instances are, and how far each instance has told.</summary>
internal sealed class CheckTable(DbConnection connection, DbTransaction transaction)
{
    private const string Columns =
        "layer AS Layer, name AS Name, owner AS Owner, state AS State, before AS Before, since AS Since, text AS Text, defines_service AS DefinesService";

    /// <summary>By layer and name.</summary>
    public IReadOnlyList<CheckStatus> All(string instanceId) =>
        [.. connection.Query<Row>(
                $"""
                SELECT {Columns}
                  FROM check_states
                 WHERE instance_id = @instanceId
                 ORDER BY layer, name
                """,
                new { instanceId }, transaction)
            .Select(row => row.ToStatus())];

    public CheckStatus? Find(string instanceId, CheckName check) =>
        connection.QuerySingleOrDefault<Row>(
            $"""
            SELECT {Columns}
              FROM check_states
             WHERE instance_id = @instanceId AND layer = @Layer AND name = @Name
            """,
            new { instanceId, check.Layer, check.Name }, transaction)?.ToStatus();

    public long Count(string instanceId) =>
        connection.QuerySingle<long>("SELECT COUNT(*) FROM check_states WHERE instance_id = @instanceId", new { instanceId }, transaction);

    public void Put(string instanceId, CheckStatus status) =>
        connection.Execute(
            """
            INSERT INTO check_states (instance_id, layer, name, owner, state, before, since, text, defines_service)
                 VALUES (@instanceId, @Layer, @Name, @Owner, @state, @before, @since, @Text, @definesService)
            ON CONFLICT (instance_id, layer, name) DO UPDATE
                SET owner = excluded.owner, state = excluded.state, before = excluded.before, since = excluded.since, text = excluded.text,
                    defines_service = excluded.defines_service
            """,
            new
            {
                instanceId,
                status.Check.Layer,
                status.Check.Name,
                status.Check.Owner,
                state = (long)status.State,
                before = (long)status.Before,
                since = status.Since.ToUnixTimeMilliseconds(),
                status.Text,
                definesService = status.DefinesService ? 1L : 0L,
            },
            transaction);

    public void Remove(string instanceId, CheckName check) =>
        connection.Execute(
            "DELETE FROM check_states WHERE instance_id = @instanceId AND layer = @Layer AND name = @Name",
            new { instanceId, check.Layer, check.Name }, transaction);

    public HeadPosition Watermark(string instanceId)
    {
        var (epoch, sequence) = connection.QuerySingleOrDefault<(long, long)>(
            "SELECT epoch, sequence FROM check_watermarks WHERE instance_id = @instanceId", new { instanceId }, transaction);
        return new HeadPosition((ulong)epoch, (ulong)sequence);
    }

    public void SetWatermark(string instanceId, HeadPosition position) =>
        connection.Execute(
            """
            INSERT INTO check_watermarks (instance_id, epoch, sequence) VALUES (@instanceId, @Epoch, @Sequence)
            ON CONFLICT (instance_id) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence
            """,
            new { instanceId, Epoch = (long)position.Epoch, Sequence = (long)position.Sequence }, transaction);

    private sealed record Row(string Layer, string Name, string Owner, long State, long Before, long Since, string Text, long DefinesService)
    {
        public CheckStatus ToStatus() => new(
            new CheckName(Layer, Name, Owner),
            (CheckState)State,
            (CheckState)Before,
            DateTimeOffset.FromUnixTimeMilliseconds(Since),
            Text,
            DefinesService != 0);
    }
}
