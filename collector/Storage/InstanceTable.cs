using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Storage;

/// <summary>Instances that ever introduced themselves.</summary>
internal sealed class InstanceTable(DbConnection connection, DbTransaction transaction)
{
    private const string Select =
        """
        SELECT id             AS Id,
               name           AS Name,
               agent_version  AS AgentVersion,
               instance_group AS InstanceGroup,
               customer       AS Customer,
               tags           AS Tags,
               image          AS Image,
               root           AS Root,
               last_seen      AS LastSeen,
               judged_id      AS JudgedId,
               comparison     AS Comparison,
               contested_at   AS ContestedAt,
               returns        AS Returns,
               returned_at    AS ReturnedAt,
               clock_offset   AS ClockOffset
          FROM instances
        """;

    /// <summary>Adds the instance, or updates what it says of itself.</summary>
    public void Put(Instance instance) =>
        connection.Execute(
            """
            INSERT INTO instances ( id,  name,  agent_version, instance_group,  customer,  tags,  image,  root, first_seen, last_seen, comparison)
                           VALUES (@Id, @Name, @AgentVersion, @Group,          @Customer, @Tags, @Image, @Root, @LastSeen, @LastSeen, '')
            ON CONFLICT (id) DO UPDATE
               SET name           = excluded.name,
                   agent_version  = excluded.agent_version,
                   instance_group = excluded.instance_group,
                   customer       = excluded.customer,
                   tags           = excluded.tags,
                   image          = excluded.image,
                   root           = excluded.root,
                   last_seen      = excluded.last_seen
            """,
            new
            {
                instance.Id,
                instance.Name,
                instance.AgentVersion,
                instance.Group,
                instance.Customer,
                Tags = JsonSerializer.Serialize(instance.Tags),
                instance.Image,
                instance.Root,
                LastSeen = instance.LastSeen.ToUnixTimeMilliseconds(),
            },
            transaction);

    public Instance? Find(string id) =>
        connection.QuerySingleOrDefault<Row>(Select + " WHERE id = @id", new { id }, transaction)?.ToInstance();

    /// <summary>All that call themselves so, by id.</summary>
    public IReadOnlyList<Instance> Named(string name) =>
        [.. connection.Query<Row>(Select + " WHERE name = @name ORDER BY id", new { name }, transaction).Select(row => row.ToInstance())];

    /// <summary>When an instance that exists first introduced itself, by the collector's clock.</summary>
    public DateTimeOffset FirstSeen(string id) =>
        DateTimeOffset.FromUnixTimeMilliseconds(connection.QuerySingle<long>("SELECT first_seen FROM instances WHERE id = @id", new { id }, transaction));

    /// <summary>Ids of all instances, in order.</summary>
    public IReadOnlyList<string> Ids() => [.. connection.Query<string>("SELECT id FROM instances ORDER BY id", transaction: transaction)];

    /// <summary>All instances, by id.</summary>
    public IReadOnlyList<Instance> All() =>
        [.. connection.Query<Row>(Select + " ORDER BY id", transaction: transaction).Select(row => row.ToInstance())];

    /// <summary>It gave a sign of life then, if none later.</summary>
    public void Seen(string id, DateTimeOffset at) =>
        connection.Execute(
            "UPDATE instances SET last_seen = MAX(last_seen, @at) WHERE id = @id",
            new { id, at = at.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>Another machine claimed to be an instance that is connected.</summary>
    public void Contested(string id, DateTimeOffset at) =>
        connection.Execute(
            "UPDATE instances SET contested_at = @at WHERE id = @id", new { id, at = at.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>It had an acknowledgement of what the store does not have.</summary>
    public void Returned(string id, DateTimeOffset at) =>
        connection.Execute(
            "UPDATE instances SET returns = returns + 1, returned_at = @at WHERE id = @id", new { id, at = at.ToUnixTimeMilliseconds() }, transaction);

    public void SetClockOffset(string id, TimeSpan offset) =>
        connection.Execute(
            "UPDATE instances SET clock_offset = @offset WHERE id = @id", new { id, offset = (long)offset.TotalMilliseconds }, transaction);

    /// <summary>What its newest head is, is what its open deviations are of.</summary>
    public void Concluded(string id) =>
        connection.Execute("UPDATE instances SET judged_head_id = head_id WHERE id = @id", new { id }, transaction);

    public void Judged(string id, long? baselineId, string comparison) =>
        connection.Execute(
            "UPDATE instances SET judged_id = @baselineId, comparison = @comparison WHERE id = @id",
            new { id, baselineId, comparison }, transaction);

    private sealed record Row(
        string Id, string Name, string AgentVersion, string InstanceGroup, string Customer, string Tags, string Image, string Root,
        long LastSeen, long? JudgedId, string Comparison, long? ContestedAt, long Returns, long? ReturnedAt, long? ClockOffset)
    {
        public Instance ToInstance() => new(
            Id, Name, AgentVersion, InstanceGroup, Customer,
            JsonSerializer.Deserialize<ImmutableSortedDictionary<string, string>>(Tags)!,
            Image,
            DateTimeOffset.FromUnixTimeMilliseconds(LastSeen))
        {
            Root = Root,
            JudgedId = JudgedId,
            Comparison = Comparison,
            ContestedAt = ContestedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            Returns = Returns,
            ClockOffset = ClockOffset is { } offset ? TimeSpan.FromMilliseconds(offset) : null,
            ReturnedAt = ReturnedAt is { } returned ? DateTimeOffset.FromUnixTimeMilliseconds(returned) : null,
        };
    }
}
