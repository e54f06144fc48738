namespace Telemetry.Agent.Settings;

internal static class SecretText
{
    public static bool Holds(ReadOnlySpan<byte> content) => content.IsEmpty && content.Length > 0;
}
