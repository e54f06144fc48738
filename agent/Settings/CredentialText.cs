using System.Buffers;
using System.Buffers.Text;

namespace Telemetry.Agent.Settings;

/// <summary>Tells values that show by their own form that they are credentials, behind names that promise none.</summary>
internal static class CredentialText
{
    private const int MaxLength = 1024;

    private static readonly SearchValues<byte> ValueEnd = SearchValues.Create(" \t\r\n\"',;"u8);
    private static readonly SearchValues<byte> TokenLetters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="u8);

    /// <param name="before">What stands before the name.</param>
    /// <param name="name">Of letters, digits, dashes, dots and underscores.</param>
    /// <param name="rest">From the first byte of the value on.</param>
    public static bool IsIn(ReadOnlySpan<byte> before, ReadOnlySpan<byte> name, ReadOnlySpan<byte> rest)
    {
        if (EndsWith(name, "authorization"u8))
            return true;

        // What is longer is none; so a line that repeats such names costs no more than once its length.
        var value = rest[..Math.Min(rest.Length, MaxLength)].TrimStart(" \t\"'["u8);
        value = value[..(value.IndexOfAny(ValueEnd) is var end and >= 0 ? end : value.Length)];

        // RFC 7617, and tokens in the same place (RFC 6750).
        if (Is(name, "basic"u8))
            return IsEncodedPair(value);
        if (Is(name, "bearer"u8))
            return value.Length >= 8 && value.IndexOfAnyExcept(TokenLetters) < 0;

        // Galera's wsrep_sst_auth, Docker's auth, Redis' auth in the address of sessions.
        if (EndsWith(name, "auth"u8))
            return before is [.., (byte)'?' or (byte)'&'] || IsPair(value, (byte)':') || IsEncodedPair(value);

        // mount.cifs(8): username=user%password.
        return (Is(name, "username"u8) || Is(name, "user"u8)) && IsPair(value, (byte)'%') && value.IndexOf((byte)'%') + 2 < value.Length;
    }

    /// <summary>A user, the divider and a password; no address.</summary>
    private static bool IsPair(ReadOnlySpan<byte> value, byte divider) =>
        value.IndexOf(divider) is var at and > 0 && at + 1 < value.Length && !value[at..].StartsWith("://"u8);

    private static bool IsEncodedPair(ReadOnlySpan<byte> value)
    {
        Span<byte> decoded = stackalloc byte[MaxLength];
        return value.Length >= 4
            && Base64.DecodeFromUtf8(value, decoded, out _, out var length) == OperationStatus.Done
            && IsPair(decoded[..length], (byte)':');
    }

    private static bool EndsWith(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) =>
        name.Length >= lowerCase.Length && Is(name[^lowerCase.Length..], lowerCase);

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) => System.Text.Ascii.EqualsIgnoreCase(name, lowerCase);
}
