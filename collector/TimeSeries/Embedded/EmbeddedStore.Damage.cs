using System.Data;
using Microsoft.Data.Sqlite;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries.Embedded;

internal sealed partial class EmbeddedStore
{
    // As a question found.
    private volatile bool _isDamaged;

    /// <summary>Where a file that was damaged is put.</summary>
    public string DamagedPath => _path + ".damaged";

    /// <summary>Called, on any thread, when a damaged file was put aside and a new one begun.</summary>
    public Action BegunAnew { get; set; } = static () => { };

    /// <summary>Does what writes the file; if that turns out to be damaged, in a new one.</summary>
    /// <exception cref="StoreException">The disk failed; nothing was done.</exception>
    private T Write<T>(Func<T> work)
    {
        lock (_writing)
        {
            try
            {
                try
                {
                    if (_isDamaged)
                        SetAside("a question came upon it.");
                    return Try(work);
                }
                catch (SqliteException e) when (IsDamage(e))
                {
                    SetAside(e.Message);
                    return Try(work);
                }
            }
            catch (SqliteException e) when (StoreException.IsDiskFailure(e))
            {
                throw new StoreException(e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new StoreException(e);
            }
        }
    }

    private T Try<T>(Func<T> work)
    {
        if (_connection.State != ConnectionState.Open)
            Reopen();
        if (_isUnsure)
            Load();
        _isUnsure = true;
        var result = work();
        _isUnsure = false;
        return result;
    }

    /// <summary>Values that were in no chunk yet are lost with the file: some minutes.</summary>
    private void SetAside(string reason)
    {
        // Whoever asks meanwhile waits: no connection has the old file and what is beside the new one.
        lock (_gate)
        {
            _connection.Close();
            ClearPools();
            SetAsideFile(_path);
            _isDamaged = false;
            Reopen();
        }

        Log.Damaged(_logger, _path, reason);
        BegunAnew();
    }

    private void Reopen()
    {
        try
        {
            _connection.Open();
            Begin();
            _isUnsure = false;
        }
        catch
        {
            _connection.Close();
            throw;
        }
    }

    private static void SetAsideFile(string path)
    {
        File.Move(path, path + ".damaged", overwrite: true);
        foreach (var beside in (string[])["-wal", "-shm"])
            File.Delete(path + beside);
    }

    // SQLITE_CORRUPT, NOTADB.
    private static bool IsDamage(SqliteException e) => e.SqliteErrorCode is 11 or 26;
}
