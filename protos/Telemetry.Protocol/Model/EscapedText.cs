using System.Globalization;
using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>
/// Bytes as text that is safe on a terminal and in a page, and can be turned back: invalid UTF-8, control and other
/// invisible characters, the backslash and given separators become <c>\xNN</c>, one escape a byte.
/// </summary>
public static class EscapedText
{
    public static string Of(ReadOnlySpan<byte> bytes, string separators = "")
    {
        var text = new StringBuilder(bytes.Length);
        Append(text, bytes, separators);
        return text.ToString();
    }

    public static void Append(StringBuilder text, ReadOnlySpan<byte> bytes, string separators)
    {
        Span<char> chars = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            var valid = Rune.DecodeFromUtf8(bytes, out var rune, out var length) == System.Buffers.OperationStatus.Done;
            if (valid && !MustEscape(rune, separators))
            {
                text.Append(chars[..rune.EncodeToUtf16(chars)]);
            }
            else
            {
                foreach (var value in bytes[..length])
                    text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
            }

            bytes = bytes[length..];
        }
    }

    /// <summary>Whether a text can be shown as it is.</summary>
    public static bool IsPlain(string text) =>
        text.EnumerateRunes().All(rune => rune.Value == '\\' || (rune != Rune.ReplacementChar && !MustEscape(rune, "")));

    /// <exception cref="FormatException">A backslash that does not start <c>\xNN</c>.</exception>
    public static byte[] Parse(ReadOnlySpan<char> text)
    {
        var bytes = new List<byte>(text.Length);
        while (!text.IsEmpty)
        {
            var backslash = text.IndexOf('\\');
            var plain = backslash < 0 ? text : text[..backslash];
            bytes.AddRange(Encoding.UTF8.GetBytes(plain.ToArray()));
            text = text[plain.Length..];
            if (text.IsEmpty)
                break;

            if (text.Length < 4 || text[1] != 'x'
                || !byte.TryParse(text[2..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
                throw new FormatException(@"A backslash is written \x5c; it starts an escape of the form \xNN.");

            bytes.Add(value);
            text = text[4..];
        }

        return [.. bytes];
    }

    private static bool MustEscape(Rune rune, string separators)
    {
        if (rune.IsAscii)
            return rune.Value is < 0x20 or 0x7f or '\\' || separators.Contains((char)rune.Value);

        if (IsUnseen(rune.Value))
            return true;

        // Format characters include the bidirectional overrides, with which a name can pose as another, as with odd spaces.
        return Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;
    }

    /// <summary>Letters and marks that show nothing: fillers, joiners and variation selectors (Default_Ignorable_Code_Point), and the blank of Braille.</summary>
    private static bool IsUnseen(int rune) => rune is 0x034f or 0x115f or 0x1160 or 0x17b4 or 0x17b5 or (>= 0x180b and <= 0x180f)
        or 0x2800 or 0x3164 or (>= 0xfe00 and <= 0xfe0f) or 0xffa0 or (>= 0xe0000 and <= 0xe0fff);
}
