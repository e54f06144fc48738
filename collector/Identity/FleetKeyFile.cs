using System.Text;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Identity;

/// <summary>The key of the fleet: lies in the data directory, readable by its owner only, beside the token of the first start.</summary>
internal static class FleetKeyFile
{
    public const string FileName = "fleet.key";

    /// <summary>Reads the key, or makes one.</summary>
    /// <exception cref="StoreException">There is one that can't be read; a new one is made only where there is none.</exception>
    public static FleetKey LoadOrCreate(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        try
        {
            return File.Exists(path) ? FleetKey.Parse(File.ReadAllText(path)) : Create(path);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"{path} cannot be used: {e.Message} Restore it from a copy; or move it away and a new key is made, under which secrets can be compared only after every agent has read them again.");
        }
    }

    /// <summary>On the disk before any agent is told it.</summary>
    private static FleetKey Create(string path)
    {
        var key = FleetKey.Random();
        PrivateFile.Write(path, Encoding.ASCII.GetBytes(key.ToText() + "\n"));
        return key;
    }
}
