using System.Data.Common;
using Dapper;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>The roots in a row of a table that has them.</summary>
internal sealed record RootRow(long Id, byte[] FileRoot, byte[] PackageRoot, byte[] SettingRoot, byte[] SystemRoot)
{
    /// <param name="table">Not from outside.</param>
    public static IReadOnlyList<(long Id, Roots Roots)> Query(DbConnection connection, DbTransaction transaction, string table, long after, int most) =>
        [.. connection.Query<RootRow>(
            $"""
            SELECT id AS Id, file_root AS FileRoot, package_root AS PackageRoot, setting_root AS SettingRoot, system_root AS SystemRoot
              FROM {table}
             WHERE id > @after
             ORDER BY id
             LIMIT @most
            """,
            new { after, most }, transaction)
            .Select(row => (row.Id, new Roots(new Digest(row.FileRoot), new Digest(row.PackageRoot), new Digest(row.SettingRoot), new Digest(row.SystemRoot))))];
}
