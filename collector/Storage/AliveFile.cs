using System.Globalization;

namespace Telemetry.Collector.Storage;

/// <summary>
/// When this collector was last known to run, outside of its store: a store that knows less was put back to an older copy. Written
/// after the store is.
/// </summary>
internal sealed class AliveFile(string dataDirectory)
{
    private readonly string _path = Path.Combine(dataDirectory, "alive");

    /// <returns>Null: nobody knows.</returns>
    public DateTimeOffset? Read()
    {
        try
        {
            return long.TryParse(File.ReadAllText(_path), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds < long.MaxValue / 100_000
                ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <remarks>Where it can't be written an older time stays, which proves less.</remarks>
    public void Write(DateTimeOffset at)
    {
        try
        {
            File.WriteAllText(_path + ".partial", at.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
            File.Move(_path + ".partial", _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next one is in ten seconds.
        }
    }
}
