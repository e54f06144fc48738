using System.Globalization;

namespace Telemetry.Agent.Identity;

/// <summary>The machine's start that this is.</summary>
/// <param name="Id">The kernel's, another at each boot: random(4). Empty when unknown.</param>
/// <param name="At">By this machine's clock; null when unknown.</param>
internal readonly record struct Boot(string Id, DateTimeOffset? At)
{
    public static Boot Read(TimeProvider clock, string proc = "/proc")
    {
        // Seconds since the boot, those in which the machine was suspended included: proc_uptime(5).
        var isKnown = double.TryParse(
            FirstWord(Path.Combine(proc, "uptime")), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds);
        return new Boot(
            FirstWord(Path.Combine(proc, "sys/kernel/random/boot_id")),
            isKnown ? clock.GetUtcNow() - TimeSpan.FromSeconds(seconds) : null);
    }

    private static string FirstWord(string file)
    {
        try
        {
            return File.ReadAllText(file).Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
