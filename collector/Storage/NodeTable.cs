using System.Data.Common;
using Dapper;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Nodes of all trees, content-addressed. Only checked nodes are added, each after its children.</summary>
internal sealed class NodeTable(DbConnection connection, DbTransaction transaction) : INodeSource
{
    public ReadOnlyMemory<byte> Read(Digest digest) =>
        connection.QuerySingleOrDefault<byte[]>(
            "SELECT body FROM nodes WHERE digest = @Digest",
            new { Digest = digest.ToArray() }, transaction)
        ?? throw new NodeMissingException(digest);

    public StoredNode? Find(Digest digest)
    {
        var row = connection.QuerySingleOrDefault<SummaryRow>(
            """
            SELECT level       AS Level,
                   first_key   AS FirstKey,
                   last_key    AS LastKey,
                   is_sealed   AS IsSealed,
                   can_be_root AS CanBeRoot,
                   entries     AS Entries
              FROM nodes
             WHERE digest = @Digest
            """,
            new { Digest = digest.ToArray() }, transaction);
        return row is null
            ? null
            : new StoredNode(
                new NodeSummary(digest, (int)row.Level, row.FirstKey, row.LastKey, row.IsSealed != 0, row.Entries),
                row.CanBeRoot != 0);
    }

    /// <summary>Leaves whose bytes contain these, in no order. Reads every leaf there is.</summary>
    public IEnumerable<TreeNode> LeavesWith(byte[] bytes) =>
        connection.Query<byte[]>("SELECT body FROM nodes WHERE level = 0 AND instr(body, @bytes) > 0", new { bytes }, transaction, buffered: false)
            .Select(body => TreeNode.Decode(body));

    public void Add(CheckedNode node) =>
        connection.Execute(
            """
            INSERT INTO nodes ( digest,  level,  first_key,  last_key,  is_sealed,  can_be_root,  entries,  body)
                       VALUES (@Digest, @Level, @FirstKey,  @LastKey,  @IsSealed,  @CanBeRoot,   @Entries, @Body)
            ON CONFLICT (digest) DO NOTHING
            """,
            new
            {
                Digest = node.Summary.Digest.ToArray(),
                node.Summary.Level,
                node.Summary.FirstKey,
                node.Summary.LastKey,
                node.Summary.IsSealed,
                node.CanBeRoot,
                node.Summary.Entries,
                Body = node.Bytes,
            },
            transaction);

    private sealed record SummaryRow(long Level, byte[] FirstKey, byte[] LastKey, long IsSealed, long CanBeRoot, long Entries);
}

/// <summary>What is known of a node that is in the store.</summary>
internal sealed record StoredNode(NodeSummary Summary, bool CanBeRoot);

/// <summary>A node whose whole subtree is canonical and known.</summary>
internal sealed record CheckedNode(NodeSummary Summary, bool CanBeRoot, byte[] Bytes);
