using System.Globalization;
using System.Text;
using Telemetry.Protocol.Files;

namespace Telemetry.Agent.Scrub;

/// <summary>How far the scrub's pass is, kept in the state directory. Losing it costs a pass begun anew, nothing else.</summary>
internal sealed class ScrubPosition(string directory, TimeProvider clock)
{
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(1);

    private readonly string _path = Path.Combine(directory, "scrub");
    private long? _written;

    /// <returns>First key of the last leaf that was read, null before the first; and how many were read.</returns>
    public (byte[]? Last, long Leaves) Read()
    {
        try
        {
            var parts = File.ReadAllText(_path).Split(' ');
            return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var leaves)
                ? (Convert.FromHexString(parts[1]), leaves)
                : default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return default;
        }
    }

    /// <summary>Written now and then: what a crash loses is read twice.</summary>
    public void Write(byte[] last, long leaves)
    {
        if (_written is { } before && clock.GetElapsedTime(before) < WriteEvery)
            return;
        _written = clock.GetTimestamp();
        try
        {
            PrivateFile.Write(_path, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{leaves} {Convert.ToHexStringLower(last)}")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The state store says that the disk fails; after a restart the pass begins anew.
        }
    }

    public void Clear()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As above.
        }
    }
}
