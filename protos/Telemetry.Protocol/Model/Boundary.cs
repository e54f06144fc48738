using System.Security.Cryptography;

namespace Telemetry.Protocol.Model;

/// <summary>
/// Where one node of a level ends and the next begins. A function of the keys since the last cut and of nothing else, so
/// the same keys give the same nodes in any order of edits, and a change of value never moves a boundary.
/// </summary>
/// <remarks>
/// A natural boundary follows a key whose SHA-256 has a zero low nibble in byte <c>level</c>: one in sixteen. Between natural
/// boundaries a run is also cut after <see cref="MaxEntries"/> entries or <see cref="MaxKeyBytes"/> of keys, so that nobody can
/// grow a node at will by choosing names. An edit inside such a forced run moves the cuts behind it, up to the next natural
/// boundary and no further. With honest names 128 entries without one happen once in 3,900 runs (15/16 to the power of 128).
/// </remarks>
public static class Boundary
{
    public const int MaxEntries = 128;

    public const int MaxKeyBytes = 32 * 1024;

    /// <summary>The digest of a key has one byte for each level.</summary>
    public const int MaxLevel = Digest.Size - 1;

    public static bool IsNatural(ReadOnlySpan<byte> key, int level)
    {
        Span<byte> digest = stackalloc byte[Digest.Size];
        SHA256.HashData(key, digest);
        return (digest[level] & 0x0f) == 0;
    }

    /// <summary>Whether a run is full, counted from the last cut of either sort.</summary>
    public static bool IsForced(int entries, int keyBytes) => entries >= MaxEntries || keyBytes >= MaxKeyBytes;
}
