using System.Globalization;

namespace Telemetry.Protocol.Text;

/// <summary>Numbers of things as people write them.</summary>
public static class Counted
{
    /// <summary>Such as <c>1 file</c>, <c>2 files</c>.</summary>
    /// <param name="many">Of more or less than one; null: with an s.</param>
    public static string Of(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? one + "s")}");
}
