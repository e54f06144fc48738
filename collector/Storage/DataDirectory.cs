using System.Text.Json;

namespace Telemetry.Collector.Storage;

/// <summary>The collector's directory, claimed by one process while it runs.</summary>
internal sealed class DataDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // EAGAIN of flock(2): somebody has it locked.
    private const int InUse = 11;

    private readonly string _path;
    private readonly FileStream _claim;

    private DataDirectory(string path, FileStream claim)
    {
        _path = path;
        _claim = claim;
    }

    /// <exception cref="StoreException">It cannot be made or written, or another collector uses it.</exception>
    public static DataDirectory Claim(string path)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            File.SetUnixFileMode(path, OwnerOnly);
            var claim = new FileStream(
                Path.Combine(path, "collector.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            return new DataDirectory(path, claim);
        }
        catch (UnauthorizedAccessException)
        {
            throw new StoreException($"The data directory {path} cannot be written by this user; change its owner, or set data_directory.");
        }
        catch (IOException e) when (e.HResult == InUse)
        {
            throw new StoreException($"Another collector runs on the data directory {path}; stop that one, or set data_directory.");
        }
        catch (IOException e)
        {
            throw new StoreException($"The data directory {path} cannot be used: {e.Message} Set data_directory to one that can be made and written to.");
        }
    }

    /// <summary>Says where this collector listens, for scripts: ports that were given as 0 are known only now.</summary>
    public void WriteAddresses(ICollection<string> urls)
    {
        var partial = Path.Combine(_path, "addresses.json.partial");
        File.WriteAllText(partial, JsonSerializer.Serialize(new { agents = urls.First(), operators = urls.Last() }) + "\n");
        File.Move(partial, Path.Combine(_path, "addresses.json"), overwrite: true);
    }

    public void Dispose() => _claim.Dispose();
}
