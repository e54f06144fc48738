using System.Data.Common;
using Dapper;
using Google.Protobuf;
using Telemetry.Collector.Causes;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Storage;

/// <summary>Runs of package managers that made changes, once each.</summary>
internal sealed class PackageTransactionTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>That a trim looks at: more than come between two.</summary>
    private const int Newest = 5_000;

    private const string Unnamed = "NOT EXISTS (SELECT 1 FROM changes c WHERE c.transaction_id = package_transactions.id)";

    /// <returns>The id, of the one that is there already if there is one.</returns>
    public long Add(PackageTransaction packages)
    {
        var body = packages.ToMessage().ToByteArray();
        return connection.QuerySingle<long>(
            """
            INSERT INTO package_transactions (digest, body) VALUES (@Digest, @Body)
            ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest
            RETURNING id
            """,
            new { Digest = Digest.Of(body).ToArray(), Body = body }, transaction);
    }

    /// <summary>One that a change names.</summary>
    public PackageTransaction Get(long id) =>
        V1.PackageTransaction.Parser.ParseFrom(
            connection.QuerySingle<byte[]>("SELECT body FROM package_transactions WHERE id = @id", new { id }, transaction)).ToModel();

    /// <summary>Those that nothing names any more; a cause keeps its packages itself.</summary>
    public IReadOnlyList<long> Unused() =>
        [.. connection.Query<long>("SELECT id FROM package_transactions WHERE " + Unnamed, transaction: transaction)];

    /// <summary>Drops those of some that nothing names.</summary>
    public void DeleteUnused(IEnumerable<long> ids) =>
        connection.Execute("DELETE FROM package_transactions WHERE id = @id AND " + Unnamed, ids.Select(id => new { id }), transaction);

    /// <summary>The same of the newest: who rewrites one record again and again leaves them behind.</summary>
    public void DeleteNewestUnused() =>
        connection.Execute(
            "DELETE FROM package_transactions WHERE id > (SELECT MAX(id) FROM package_transactions) - @Newest AND " + Unnamed, new { Newest }, transaction);
}
