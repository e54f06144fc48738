using Microsoft.Data.Sqlite;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>Fills the index of packaged files, which it empties first.</summary>
internal sealed class PackageFileIndexWriter : IDisposable
{
    private readonly SqliteCommand _addPackage, _addFile;
    private EntryKey? _package;
    private long _packageId;

    public PackageFileIndexWriter(SqliteConnection connection)
    {
        PackageFileIndexSchema.Clear(connection);
        _addPackage = Command(connection, "INSERT INTO packages (id, package) VALUES ($0, $1)", 2);
        _addFile = Command(connection, "INSERT INTO files VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", 13);
    }

    /// <param name="file">The files of one package follow each other.</param>
    public void Add(PackageFile file)
    {
        if (file.Package != _package)
        {
            _package = file.Package;
            Run(_addPackage, ++_packageId, file.Package.Bytes.ToArray());
        }

        Run(
            _addFile,
            file.Path.Bytes.ToArray(),
            _packageId,
            Bytes(file.ListedAs),
            file.IsConffile,
            file.MayBeMissing,
            file.Type is { } type ? (int)type : null,
            file.Mode,
            Bytes(file.User),
            Bytes(file.Group),
            file.Size is { } size ? (long)size : null,
            Bytes(file.Target),
            file.Digest?.Algorithm,
            Bytes(file.Digest?.Bytes));
    }

    public void Dispose()
    {
        _addPackage.Dispose();
        _addFile.Dispose();
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql, int parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var index = 0; index < parameters; index++)
            command.Parameters.Add(new SqliteParameter { ParameterName = $"${index}" });
        return command;
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object?> values)
    {
        for (var index = 0; index < values.Length; index++)
            command.Parameters[index].Value = values[index] ?? DBNull.Value;
        command.ExecuteNonQuery();
    }

    private static byte[]? Bytes(ByteText? text) => text?.Bytes.ToArray();
}
