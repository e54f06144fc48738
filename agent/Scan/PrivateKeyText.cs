namespace Telemetry.Agent.Scan;

/// <summary>Tells a text that holds a private key, wherever in it: PEM (RFC 7468), whatever stands before it, and PuTTY's own.</summary>
internal static class PrivateKeyText
{
    private const int LongestLabel = 64;

    public static bool IsIn(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("PuTTY-User-Key-File-"u8))
            return true;

        while (text.IndexOf("-----BEGIN "u8) is var begin and >= 0)
        {
            text = text[(begin + "-----BEGIN "u8.Length)..];
            var line = text[..Math.Min(text.Length, LongestLabel)];
            var label = line.IndexOf("-----"u8);
            if (label >= 0 && line[..label] is var name && (name.EndsWith("PRIVATE KEY"u8) || name.EndsWith("PRIVATE KEY BLOCK"u8)))
                return true;
        }

        return false;
    }
}
