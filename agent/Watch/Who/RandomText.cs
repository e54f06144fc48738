using System.Buffers;

namespace Telemetry.Agent.Watch.Who;

/// <summary>Marks long runs of base64 or hexadecimal digits that look drawn at random: keys and tokens that no name announces.</summary>
/// <remarks>
/// Paths are made of the same letters. They are told apart by their words: of one case or capitalised, digits only at an end, at
/// most 24 letters. Of a key some letters may make such words by chance, so a run counts when 12 of its letters make none, or when
/// a quarter is capitals and a quarter is not. That misses one key of 32 bytes in a million.
/// </remarks>
internal static class RandomText
{
    private const int MinLength = 32, MinStrange = 12, LongestWord = 24;

    private static readonly SearchValues<byte> Digits =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"u8);

    public static void Find(ReadOnlySpan<byte> text, Span<bool> marks)
    {
        for (var position = 0; position < text.Length;)
        {
            var length = text[position..].IndexOfAnyExcept(Digits);
            length = length < 0 ? text.Length - position : length;
            if (length >= MinLength && IsRandom(text.Slice(position, length)))
                marks.Slice(position, length).Fill(true);
            position += length + 1;
        }
    }

    private static bool IsRandom(ReadOnlySpan<byte> run)
    {
        var (capitals, others) = (0, 0);
        foreach (var letter in run)
        {
            capitals += char.IsAsciiLetterUpper((char)letter) ? 1 : 0;
            others += char.IsAsciiLetterLower((char)letter) ? 1 : 0;
        }

        return (4 * capitals >= run.Length && 4 * others >= run.Length) || StrangeLetters(run) >= MinStrange;
    }

    private static int StrangeLetters(ReadOnlySpan<byte> run)
    {
        var strange = 0;
        foreach (var range in run.SplitAny("+/=_-"u8))
        {
            if (!IsWord(run[range]))
                strange += run[range].Length;
        }

        return strange;
    }

    /// <summary><c>linux</c>, <c>PATH</c>, <c>NetworkManager</c>, <c>python3</c>, <c>2026</c>.</summary>
    private static bool IsWord(ReadOnlySpan<byte> part)
    {
        if (part.Length > LongestWord)
            return false;
        var letters = part.TrimStart("0123456789"u8).TrimEnd("0123456789"u8);
        if (letters.ContainsAnyInRange((byte)'0', (byte)'9'))
            return false;

        // No capital after another, unless all are; and a word of several has more than two letters each.
        var capitals = 0;
        var inRow = false;
        for (var i = 0; i < letters.Length; i++)
        {
            var isCapital = char.IsAsciiLetterUpper((char)letters[i]);
            capitals += isCapital ? 1 : 0;
            inRow |= isCapital && i > 0 && char.IsAsciiLetterUpper((char)letters[i - 1]);
        }

        var isCapitalised = !inRow && 3 * capitals <= letters.Length && (capitals == 0 || letters.Length == part.TrimEnd("0123456789"u8).Length);
        return capitals == letters.Length || isCapitalised;
    }
}
