namespace Telemetry.Protocol.Model;

/// <summary>
/// Matches one text against wildcards: <see cref="Star"/> stands for any bytes but a slash, two of them for any bytes at all,
/// <see cref="Any"/> for one byte that is no slash.
/// </summary>
public static class Glob
{
    // Bytes that occur in no UTF-8 text. A text that holds them all the same is matched by a star.
    public const byte Star = 0xff, Any = 0xfe;

    /// <remarks>
    /// Goes back to the last star and the last double star only: what came before them was matched as early as it can be, and
    /// later is never better. So no pattern takes more steps than (pattern × text²).
    /// </remarks>
    public static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
    {
        var (at, position) = (0, 0);
        var (star, starEnd) = (-1, 0);
        var (doubleStar, doubleStarEnd) = (-1, 0);
        while (true)
        {
            if (at < pattern.Length && pattern[at] == Star)
            {
                if (at + 1 < pattern.Length && pattern[at + 1] == Star)
                    (at, doubleStar, doubleStarEnd, star) = (at + 2, at + 2, position, -1);
                else
                    (at, star, starEnd) = (at + 1, at + 1, position);
            }
            else if (at < pattern.Length && position < text.Length && IsOne(pattern[at], text[position]))
            {
                at++;
                position++;
            }
            else if (at == pattern.Length && position == text.Length)
            {
                return true;
            }
            else if (star >= 0 && starEnd < text.Length && text[starEnd] != '/')
            {
                (at, position) = (star, ++starEnd);
            }
            else if (doubleStar >= 0 && doubleStarEnd < text.Length)
            {
                (at, position, star) = (doubleStar, ++doubleStarEnd, -1);
            }
            else
            {
                return false;
            }
        }
    }

    private static bool IsOne(byte pattern, byte text) => pattern == Any ? text != '/' : pattern == text;
}
