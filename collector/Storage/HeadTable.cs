using System.Data.Common;
using Dapper;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Complete heads: what each instance is and was.</summary>
internal sealed class HeadTable(DbConnection connection, DbTransaction transaction)
{
    private const string Columns =
        """
        h.id             AS Id,
        h.instance_id    AS InstanceId,
        h.epoch          AS Epoch,
        h.sequence       AS Sequence,
        h.file_root      AS FileRoot,
        h.package_root   AS PackageRoot,
        h.setting_root   AS SettingRoot,
        h.system_root    AS SystemRoot,
        h.coverage       AS Coverage,
        s.body           AS Scope,
        h.observed_at    AS ObservedAt,
        h.observed_after AS ObservedAfter,
        h.received_at    AS ReceivedAt
        """;

    private readonly ScopeTable _scopes = new(connection, transaction);

    /// <summary>Adds a head and makes it the instance's newest.</summary>
    public long Add(InstanceHead head)
    {
        _scopes.Add(head.Coverage.Scope);
        var id = connection.QuerySingle<long>(
            """
            INSERT INTO heads ( instance_id,  epoch,  sequence,  file_root,  package_root,  setting_root,  system_root,
                                scope_digest, coverage,  observed_at,  observed_after,  received_at)
                       VALUES (@InstanceId,  @Epoch, @Sequence, @FileRoot,  @PackageRoot,  @SettingRoot,  @SystemRoot,
                               @ScopeDigest, @Coverage, @ObservedAt,  @ObservedAfter,  @ReceivedAt)
            RETURNING id
            """,
            new
            {
                head.InstanceId,
                Epoch = (long)head.Position.Epoch,
                Sequence = (long)head.Position.Sequence,
                FileRoot = head.Roots.File.ToArray(),
                PackageRoot = head.Roots.Package.ToArray(),
                SettingRoot = head.Roots.Setting.ToArray(),
                SystemRoot = head.Roots.System.ToArray(),
                ScopeDigest = head.Coverage.Scope.Digest.ToArray(),
                Coverage = StoredCoverage.Encode(head.Coverage),
                ObservedAt = head.ObservedAt.ToUnixTimeMilliseconds(),
                ObservedAfter = head.ObservedAfter?.ToUnixTimeMilliseconds(),
                ReceivedAt = head.ReceivedAt.ToUnixTimeMilliseconds(),
            },
            transaction);
        connection.Execute(
            "UPDATE instances SET head_id = @id WHERE id = @InstanceId", new { id, head.InstanceId }, transaction);
        return id;
    }

    /// <summary>The newest complete head of an instance.</summary>
    public InstanceHead? Newest(string instanceId) =>
        connection.QuerySingleOrDefault<Row>(
            $"""
            SELECT {Columns}
              FROM instances i
              JOIN heads  h ON h.id = i.head_id
              JOIN scopes s ON s.digest = h.scope_digest
             WHERE i.id = @instanceId
            """,
            new { instanceId }, transaction)?.ToHead();

    /// <summary>The head of an instance that its open deviations are of; null: none was judged yet.</summary>
    public InstanceHead? LastJudged(string instanceId) =>
        connection.QuerySingleOrDefault<Row>(
            $"""
            SELECT {Columns}
              FROM instances i
              JOIN heads  h ON h.id = i.judged_head_id
              JOIN scopes s ON s.digest = h.scope_digest
             WHERE i.id = @instanceId
            """,
            new { instanceId }, transaction)?.ToHead();

    /// <summary>What an instance was, newest first.</summary>
    /// <param name="until">Observed then or earlier; null: all.</param>
    public IEnumerable<InstanceHead> Backwards(string instanceId, DateTimeOffset? until = null) =>
        connection.Query<Row>(
            $"""
            SELECT {Columns}
              FROM heads  h
              JOIN scopes s ON s.digest = h.scope_digest
             WHERE h.instance_id = @instanceId AND h.observed_at <= @until
             ORDER BY h.epoch DESC, h.sequence DESC
            """,
            new { instanceId, until = until?.ToUnixTimeMilliseconds() ?? long.MaxValue }, transaction, buffered: false).Select(row => row.ToHead());

    /// <summary>The trees of one kind that an instance had, newest first.</summary>
    public IEnumerable<PastTree> TreesBackwards(string instanceId, EntryKind kind) =>
        Trees(kind, "WHERE instance_id = @instanceId ORDER BY epoch DESC, sequence DESC", new { instanceId });

    /// <summary>The next trees of one kind that instances had, in the order in which they became known.</summary>
    /// <param name="after">Only those of heads behind this one.</param>
    public IReadOnlyList<PastTree> Trees(EntryKind kind, long after, int most) =>
        [.. Trees(kind, "WHERE id > @after ORDER BY id LIMIT @most", new { after, most })];

    /// <summary>A head that exists.</summary>
    public InstanceHead Get(long id) =>
        connection.QuerySingle<Row>(
            $"""
            SELECT {Columns}
              FROM heads  h
              JOIN scopes s ON s.digest = h.scope_digest
             WHERE h.id = @id
            """,
            new { id }, transaction).ToHead();

    /// <summary>The roots of the next heads by id.</summary>
    public IReadOnlyList<(long Id, Roots Roots)> RootsAfter(long id, int most) =>
        RootRow.Query(connection, transaction, "heads", id, most);

    /// <summary>Heads that were superseded before a time. What instances were at that time, and are, is not among them.</summary>
    /// <returns>Their ids; none is superseded no more later.</returns>
    public IReadOnlyList<long> Superseded(DateTimeOffset boundary, int most) =>
        [.. connection.Query<long>(
            // By itself SQLite would group by an index of all heads, for it has them in the order of instances.
            """
            SELECT id
              FROM heads INDEXED BY heads_received
             WHERE received_at <= @boundary
               AND id NOT IN (SELECT MAX(id) FROM heads INDEXED BY heads_received WHERE received_at <= @boundary GROUP BY instance_id)
             LIMIT @most
            """,
            new { boundary = boundary.ToUnixTimeMilliseconds(), most }, transaction)];

    /// <returns>How many there were.</returns>
    public int Delete(IReadOnlyList<long> ids) =>
        connection.Execute("DELETE FROM heads WHERE id IN @ids", new { ids }, transaction);

    private IEnumerable<PastTree> Trees(EntryKind kind, string rest, object parameters) =>
        connection.Query<(long Id, string InstanceId, byte[] Root, long ObservedAt, long? ObservedAfter)>(
                $"SELECT id, instance_id, {kind.Name()}_root, observed_at, observed_after FROM heads {rest}", parameters, transaction, buffered: false)
            .Select(row => new PastTree(
                row.Id,
                row.InstanceId,
                new Digest(row.Root),
                DateTimeOffset.FromUnixTimeMilliseconds(row.ObservedAt),
                row.ObservedAfter is { } after ? DateTimeOffset.FromUnixTimeMilliseconds(after) : null));

    private sealed record Row(
        long Id, string InstanceId, long Epoch, long Sequence,
        byte[] FileRoot, byte[] PackageRoot, byte[] SettingRoot, byte[] SystemRoot,
        byte[] Coverage, byte[] Scope, long ObservedAt, long? ObservedAfter, long ReceivedAt)
    {
        public InstanceHead ToHead() => new(
            InstanceId,
            new HeadPosition((ulong)Epoch, (ulong)Sequence),
            new Roots(new Digest(FileRoot), new Digest(PackageRoot), new Digest(SettingRoot), new Digest(SystemRoot)),
            StoredCoverage.Decode(Coverage, Scope),
            DateTimeOffset.FromUnixTimeMilliseconds(ObservedAt),
            ObservedAfter is { } after ? DateTimeOffset.FromUnixTimeMilliseconds(after) : null,
            DateTimeOffset.FromUnixTimeMilliseconds(ReceivedAt));
    }
}
