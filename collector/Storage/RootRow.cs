using System.Data.Common;
using Dapper;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>The roots in a row of a table that has them.</summary>
internal sealed record RootRow(long Id, byte[] FileRoot, byte[] PackageRoot, byte[] SettingRoot, byte[] SystemRoot)
{
    /// <param name="table">Not from outside.</param>
    /// <param name="columns">What the names of its columns begin with. Not from outside.</param>
    public static IReadOnlyList<(long Id, Roots Roots)> Query(
        DbConnection connection, DbTransaction transaction, string table, long after, int most, string columns = "") =>
        [.. connection.Query<RootRow>(
            $"""
            SELECT id                    AS Id,
                   {columns}file_root    AS FileRoot,
                   {columns}package_root AS PackageRoot,
                   {columns}setting_root AS SettingRoot,
                   {columns}system_root  AS SystemRoot
              FROM {table}
             WHERE id > @after
             ORDER BY id
             LIMIT @most
            """,
            new { after, most }, transaction)
            .Select(row => (row.Id, new Roots(new Digest(row.FileRoot), new Digest(row.PackageRoot), new Digest(row.SettingRoot), new Digest(row.SystemRoot))))];
}
