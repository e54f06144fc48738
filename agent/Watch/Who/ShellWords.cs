using System.Buffers;

namespace Telemetry.Agent.Watch.Who;

/// <summary>Divides a script into words, roughly as sh(1) does: a quotation, an escaped blank and a <c>$(…)</c> are parts of one word.</summary>
internal static class ShellWords
{
    public static SearchValues<byte> Dividers { get; } = SearchValues.Create(" \t\r\n;|&"u8);

    /// <summary>Whether a text is one word with blanks in it, as an apostrophe makes one: then only its dividers divide it.</summary>
    public static bool IsOne(ReadOnlySpan<byte> text)
    {
        var position = 0;
        return Next(text, ref position, out var start) && start == 0 && position == text.Length;
    }

    /// <param name="position">In: where to look from. Out: behind the word.</param>
    /// <param name="isPlain">Quotation marks mean nothing.</param>
    public static bool Next(ReadOnlySpan<byte> text, ref int position, out int start, bool isPlain = false)
    {
        while (position < text.Length && Dividers.Contains(text[position]))
            position++;
        start = position;
        var quote = (byte)0;
        var depth = 0;
        for (; position < text.Length; position++)
        {
            var letter = text[position];
            if (isPlain)
            {
                if (Dividers.Contains(letter))
                    break;
            }
            else if (letter == (byte)'\\' && quote != (byte)'\'')
                position++;
            else if (quote != 0)
                quote = letter == quote ? (byte)0 : quote;
            else if (letter is (byte)'"' or (byte)'\'' or (byte)'`')
                quote = letter;
            else if (letter == (byte)'(' && position > 0 && text[position - 1] is (byte)'$' or (byte)'<')
                depth++;
            else if (letter == (byte)')' && depth > 0)
                depth--;
            else if (depth == 0 && Dividers.Contains(letter))
                break;
        }

        position = Math.Min(position, text.Length);
        return start < position;
    }

    /// <summary>What is between the quotation marks, when the word is nothing but a quotation.</summary>
    public static ReadOnlySpan<byte> Unquoted(ReadOnlySpan<byte> word, out int start)
    {
        var isQuoted = word is [(byte)'"' or (byte)'\'' or (byte)'`', ..];
        start = isQuoted ? 1 : 0;
        if (!isQuoted)
            return word;
        return word.Length > 1 && word[^1] == word[0] ? word[1..^1] : word[1..];
    }
}
