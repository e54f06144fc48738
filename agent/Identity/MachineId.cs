namespace Telemetry.Agent.Identity;

/// <summary>machine-id(5): made at a machine's first boot, so a clone that was set up properly has another one.</summary>
internal static class MachineId
{
    /// <returns>Null when there is none, it is not made yet, or it can't be read: reasons to conclude nothing.</returns>
    public static string? Read(string file = "/etc/machine-id")
    {
        try
        {
            var text = File.ReadAllText(file).Trim();
            return text.Length == 32 && text.All(char.IsAsciiHexDigit) ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
