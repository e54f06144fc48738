using Microsoft.Data.Sqlite;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>What holds of every store, whatever was sent to it.</summary>
internal static class StoreInvariants
{
    /// <summary>Every node is canonical and named by its digest, its children are there, and so is every root of every head.</summary>
    public static void Check(string dataDirectory)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(dataDirectory, "state.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        var nodes = Rows(connection, "SELECT digest, body FROM nodes").ToDictionary(row => new Digest(row[0]), row => row[1]);
        foreach (var (digest, body) in nodes)
        {
            Assert.Equal(digest, TreeNode.DigestOf(body));
            var node = TreeNode.Decode(body);
            for (var i = 0; i < node.Count && !node.IsLeaf; i++)
                Assert.Contains(node.Child(i), nodes.Keys);
        }

        foreach (var roots in Rows(connection, "SELECT file_root, package_root, setting_root, system_root FROM heads"))
            Assert.All(roots, root => Assert.Contains(new Digest(root), nodes.Keys));
    }

    private static IEnumerable<byte[][]> Rows(SqliteConnection connection, string query)
    {
        using var command = connection.CreateCommand();
        command.CommandText = query;
        using var reader = command.ExecuteReader();
        while (reader.Read())
            yield return [.. Enumerable.Range(0, reader.FieldCount).Select(column => (byte[])reader[column])];
    }
}
