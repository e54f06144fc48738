namespace Telemetry.Agent.Scan;

/// <summary>Tells a file that holds a private key from its beginning: PEM (RFC 7468), with or without attributes before it, and PuTTY's own.</summary>
internal static class PrivateKeyText
{
    public static bool IsIn(ReadOnlySpan<byte> beginning) =>
        beginning.StartsWith("PuTTY-User-Key-File-"u8)
        || ((beginning.StartsWith("-----BEGIN "u8) || beginning.StartsWith("Bag Attributes"u8))
            && beginning.IndexOf("PRIVATE KEY-----"u8) >= 0);
}
