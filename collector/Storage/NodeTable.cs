using System.Data.Common;
using Dapper;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Nodes of all trees, content-addressed. Only checked nodes are added, each after its children.</summary>
/// <param name="cache">Null where nodes may be seen that are not stored yet.</param>
internal sealed class NodeTable(DbConnection connection, DbTransaction transaction, NodeCache? cache) : INodeSource, IDisposable
{
    private NodeCache.Era? _cached;
    private long? _sweeps;
    private DbCommand? _read;

    /// <exception cref="DamagedNodeException">It is not what was stored.</exception>
    public ReadOnlyMemory<byte> Read(Digest digest)
    {
        // A comparison reads hundreds: prepared once, and without a mapper.
        _read ??= Prepare("SELECT body FROM nodes WHERE digest = @digest");
        _read.Parameters[0].Value = digest.ToArray();
        return _read.ExecuteScalar() switch
        {
            null => throw new NodeMissingException(digest),
            byte[] body => Checked(digest, body),
            _ => throw new DamagedNodeException(digest),
        };
    }

    public StoredNode? Find(Digest digest)
    {
        _cached ??= cache?.Between(Sweeps());
        if (_cached?.Find(digest) is { } cached)
            return cached;
        var stored = Load(digest);
        if (stored is not null)
            _cached?.Add(stored);
        return stored;
    }

    private StoredNode? Load(Digest digest)
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

    /// <summary>Leaves whose bytes contain these, of the nodes whose ids are behind one and up to another. Reads every leaf among them.</summary>
    public IEnumerable<Digest> LeavesWith(byte[] bytes, long after, long until) =>
        connection.Query<byte[]>(
                "SELECT digest FROM nodes WHERE id > @after AND id <= @until AND level = 0 AND instr(body, @bytes) > 0", new { bytes, after, until }, transaction)
            .Select(digest => new Digest(digest));

    /// <summary>How often nodes were swept. What was found before the last time may be gone.</summary>
    public long Sweeps() => _sweeps ??= connection.QuerySingle<long>("SELECT sweeps FROM collector", transaction: transaction);

    /// <summary>Adds nodes, children before parents.</summary>
    /// <exception cref="NodeMissingException">What they rely on was swept meanwhile; nothing was added.</exception>
    public void Add(AssembledNodes nodes)
    {
        if (nodes.Sweeps != Sweeps())
        {
            foreach (var digest in nodes.Relied)
            {
                if (!Has(digest))
                    throw new NodeMissingException(digest);
            }
        }

        foreach (var node in nodes.Nodes)
            Add(node);
    }

    /// <summary>The greatest id there is; 0 without any node.</summary>
    public long LastId() => connection.QuerySingle<long>("SELECT COALESCE(MAX(id), 0) FROM nodes", transaction: transaction);

    /// <summary>A node as one on the way to others: its bytes unless it is a leaf; null: there is no such node.</summary>
    public (long Id, byte[]? Body)? Reach(Digest digest)
    {
        var (id, body) = connection.QuerySingleOrDefault<(long, byte[]?)>(
            "SELECT id, CASE WHEN level > 0 THEN CAST(body AS BLOB) END FROM nodes WHERE digest = @Digest", new { Digest = digest.ToArray() }, transaction);
        return id == 0 ? null : (id, body is null ? null : Checked(digest, body));
    }

    /// <summary>The next nodes by id.</summary>
    public IReadOnlyList<(long Id, int Level)> Page(long after, long until, int most) =>
        [.. connection.Query<(long Id, int Level)>(
            "SELECT id, level FROM nodes WHERE id > @after AND id <= @until ORDER BY id LIMIT @most", new { after, until, most }, transaction)];

    /// <summary>The next nodes by id that have children.</summary>
    public IReadOnlyList<(long Id, Digest Digest)> InteriorAfter(long after, int most) =>
        [.. connection.Query<(long Id, byte[] Digest)>(
                "SELECT id, digest FROM nodes WHERE id > @after AND level > 0 ORDER BY id LIMIT @most", new { after, most }, transaction)
            .Select(row => (row.Id, new Digest(row.Digest)))];

    /// <summary>Removes nodes that nothing refers to, none of them before its parents.</summary>
    public int Sweep(IReadOnlyCollection<long> ids)
    {
        connection.Execute("UPDATE collector SET sweeps = sweeps + 1", transaction: transaction);
        _sweeps = null;
        return connection.Execute("DELETE FROM nodes WHERE id IN @ids", new { ids }, transaction);
    }

    public void Dispose() => _read?.Dispose();

    /// <summary>What is signed is digests: of what was read from the disk nothing else proves that it is what was signed.</summary>
    private static byte[] Checked(Digest digest, byte[] body) =>
        TreeNode.DigestOf(body) == digest ? body : throw new DamagedNodeException(digest);

    private DbCommand Prepare(string sql)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        var digest = command.CreateParameter();
        digest.ParameterName = "@digest";
        command.Parameters.Add(digest);
        return command;
    }

    private bool Has(Digest digest) =>
        connection.QuerySingle<long>("SELECT EXISTS (SELECT 1 FROM nodes WHERE digest = @Digest)", new { Digest = digest.ToArray() }, transaction) != 0;

    private void Add(CheckedNode node) =>
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

/// <summary>A node in the store is not what was stored. Nothing is concluded from it.</summary>
internal sealed class DamagedNodeException(Digest digest) : Exception(
    $"Node {digest} in the store is not what was stored: its bytes were altered, or the disk damaged them. Nothing is concluded from it; restore state.db from a copy of before.");

/// <summary>What is known of a node that is in the store.</summary>
internal sealed record StoredNode(NodeSummary Summary, bool CanBeRoot);

/// <summary>A node whose whole subtree is canonical and known.</summary>
internal sealed record CheckedNode(NodeSummary Summary, bool CanBeRoot, byte[] Bytes);

/// <summary>Nodes to be stored, and what they rely on.</summary>
/// <param name="Nodes">Children before parents.</param>
/// <param name="Relied">Nodes that were found in the store.</param>
/// <param name="Sweeps">How often nodes had been swept before the first of these was looked for.</param>
internal sealed record AssembledNodes(IReadOnlyList<CheckedNode> Nodes, IReadOnlyCollection<Digest> Relied, long Sweeps);
