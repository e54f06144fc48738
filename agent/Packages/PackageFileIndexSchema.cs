using Microsoft.Data.Sqlite;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>The tables of the index of packaged files.</summary>
internal static class PackageFileIndexSchema
{
    /// <summary>Raised with every change of the tables; an index with another number is made anew.</summary>
    private const int Version = 1;

    /// <remarks>Losing the file costs a second of work, so nothing waits for the disk.</remarks>
    public static void Create(SqliteConnection connection) => Run(connection, """
        PRAGMA journal_mode = DELETE;
        PRAGMA synchronous = OFF;
        PRAGMA cache_size = -2048;
        CREATE TABLE IF NOT EXISTS state (version INTEGER NOT NULL, state TEXT NOT NULL, mistakes TEXT NOT NULL);
        """);

    public static bool Matches(SqliteConnection connection, string state)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM state WHERE version = $version AND state = $state";
        command.Parameters.AddWithValue("$version", Version);
        command.Parameters.AddWithValue("$state", state);
        return (long)command.ExecuteScalar()! > 0;
    }

    public static IReadOnlyList<string> Mistakes(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT mistakes FROM state";
        return ((string)command.ExecuteScalar()!).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public static void Clear(SqliteConnection connection) => Run(connection, """
        DELETE FROM state;
        DROP TABLE IF EXISTS files;
        DROP TABLE IF EXISTS packages;
        CREATE TABLE packages (id INTEGER PRIMARY KEY, package BLOB NOT NULL);
        CREATE TABLE files (
            path           BLOB    NOT NULL,
            package_id     INTEGER NOT NULL,
            listed_as      BLOB,
            is_conffile    INTEGER NOT NULL,
            may_be_missing INTEGER NOT NULL,
            type           INTEGER,
            mode           INTEGER,
            user           BLOB,
            "group"        BLOB,
            size           INTEGER,
            target         BLOB,
            algorithm      TEXT,
            digest         BLOB
        );
        """);

    public static void Complete(SqliteConnection connection, string state, IEnumerable<string> mistakes)
    {
        // Behind the rows: sorting them once is twice as fast as keeping them sorted.
        Run(connection, "CREATE INDEX files_by_path ON files (path)");
        using var command = connection.CreateCommand();
        command.CommandText = "INSERT INTO state (version, state, mistakes) VALUES ($version, $state, $mistakes)";
        command.Parameters.AddWithValue("$version", Version);
        command.Parameters.AddWithValue("$state", state);
        command.Parameters.AddWithValue("$mistakes", string.Join('\n', mistakes.Select(mistake => mistake.Replace('\n', ' '))));
        command.ExecuteNonQuery();
    }

    /// <param name="row">package, listed_as, is_conffile, may_be_missing, type, mode, user, group, size, target, algorithm, digest</param>
    public static PackageFile Read(SqliteDataReader row, EntryKey path) => new(new EntryKey(row.GetFieldValue<byte[]>(0)), path)
    {
        ListedAs = Text(row, 1),
        IsConffile = row.GetBoolean(2),
        MayBeMissing = row.GetBoolean(3),
        Type = row.IsDBNull(4) ? null : (FileType)row.GetInt32(4),
        Mode = row.IsDBNull(5) ? null : (uint)row.GetInt32(5),
        User = Text(row, 6),
        Group = Text(row, 7),
        Size = row.IsDBNull(8) ? null : (ulong)row.GetInt64(8),
        Target = Text(row, 9),
        Digest = Text(row, 11) is { } digest ? new PackageDigest(row.GetString(10), digest) : null,
    };

    private static ByteText? Text(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : new ByteText(row.GetFieldValue<byte[]>(column));

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
