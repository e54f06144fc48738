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

    /// <summary>Drops those that nothing names any more; a cause keeps its packages itself.</summary>
    public void DeleteUnused() =>
        connection.Execute(
            "DELETE FROM package_transactions WHERE NOT EXISTS (SELECT 1 FROM changes c WHERE c.transaction_id = package_transactions.id)",
            transaction: transaction);

    /// <summary>Drops those of some, and of the newest, that nothing names any more: who rewrites one record again and again leaves them behind.</summary>
    public void DeleteUnused(IEnumerable<long> ids)
    {
        const string Unused =
            """
               AND NOT EXISTS (SELECT 1 FROM changes    c WHERE c.transaction_id = package_transactions.id)
            """;
        connection.Execute("DELETE FROM package_transactions WHERE id = @id\n" + Unused, ids.Select(id => new { id }), transaction);
        connection.Execute("DELETE FROM package_transactions WHERE id > (SELECT MAX(id) FROM package_transactions) - @Newest\n" + Unused, new { Newest }, transaction);
    }
}
