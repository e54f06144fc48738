using Microsoft.Data.Sqlite;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>Which packages own a path, and what they say of it: made once for each state of the package databases, and kept in a file.</summary>
/// <remarks>
/// Nothing of it stays in memory when it is disposed; while it is open, SQLite keeps some pages. Anybody may delete the file: it is
/// made again. Not for several threads.
/// </remarks>
internal sealed class PackageFileIndex : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _find;

    private PackageFileIndex(SqliteConnection connection)
    {
        _connection = connection;
        _find = connection.CreateCommand();
        _find.CommandText = """
            SELECT package, listed_as, is_conffile, may_be_missing, type, mode, user, "group", size, target, algorithm, digest
            FROM   files JOIN packages ON packages.id = files.package_id
            WHERE  path = $path
            ORDER  BY package
            """;
        _find.Parameters.Add("$path", SqliteType.Blob);
    }

    /// <summary>What could not be read when the index was made, for people: a path without an owner may have one all the same.</summary>
    public IReadOnlyList<string> Mistakes { get; private set; } = [];

    /// <summary>Opens the index, and makes it when it is of another state.</summary>
    /// <param name="file">Made when it is not there; the empty name stands for one that is gone with the index.</param>
    public static PackageFileIndex Open(string file, IReadOnlyList<IPackageFiles> sources, CancellationToken cancellation)
    {
        var connection = Connect(file);
        try
        {
            var state = string.Join(' ', sources.Select(source => $"{source.Manager}={source.State()}"));
            var mistakes = PackageFileIndexSchema.Matches(connection, state) ? null : Build(connection, state, sources, cancellation);
            return new PackageFileIndex(connection) { Mistakes = mistakes ?? PackageFileIndexSchema.Mistakes(connection) };
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens the index of whatever state it is.</summary>
    public static PackageFileIndex OpenAsItIs(string file) => new(Connect(file));

    /// <param name="path">A key of the file tree; see <see cref="Linux.RealPaths"/>.</param>
    /// <returns>One for each package that owns the path; a directory may have hundreds.</returns>
    public IReadOnlyList<PackageFile> Owners(EntryKey path)
    {
        _find.Parameters[0].Value = path.Bytes.ToArray();
        using var rows = _find.ExecuteReader();
        var owners = new List<PackageFile>();
        while (rows.Read())
            owners.Add(PackageFileIndexSchema.Read(rows, path));
        return owners;
    }

    public void Dispose()
    {
        _find.Dispose();
        _connection.Dispose();
    }

    /// <summary>A file that SQLite can't use is made anew.</summary>
    private static SqliteConnection Connect(string file)
    {
        for (var attempt = 1; ; attempt++)
        {
            var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ConnectionString);
            try
            {
                connection.Open();
                PackageFileIndexSchema.Create(connection);
                return connection;
            }
            catch (SqliteException) when (attempt == 1 && file.Length > 0)
            {
                connection.Dispose();
                File.Delete(file);
                File.Delete(file + "-journal");
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        }
    }

    private static List<string> Build(SqliteConnection connection, string state, IReadOnlyList<IPackageFiles> sources, CancellationToken cancellation)
    {
        var mistakes = new List<string>();
        using var transaction = connection.BeginTransaction();
        using (var writer = new PackageFileIndexWriter(connection))
        {
            foreach (var source in sources.Where(source => source.State() is not null))
                source.Read(_ => true, writer.Add, mistakes.Add, cancellation);
        }

        PackageFileIndexSchema.Complete(connection, state, mistakes);
        transaction.Commit();
        return mistakes;
    }
}
