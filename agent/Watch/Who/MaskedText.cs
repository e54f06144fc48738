using System.Buffers;
using Telemetry.Agent.Settings;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Who;

/// <summary>Marks secrets in a text by what stands before them: a name and a divider, or a user in a URL.</summary>
internal static class MaskedText
{
    private static readonly SearchValues<byte> UrlEnd = SearchValues.Create(" \t\r\n\"'<>"u8);

    public static SearchValues<byte> NameLetters { get; } =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."u8);

    /// <summary>Of HTTP: what it holds is a secret, and has blanks in it.</summary>
    public static bool IsCredentialHeader(ReadOnlySpan<byte> name) =>
        name.Length >= 6 && (EndsWith(name, "authorization"u8) || EndsWith(name, "cookie"u8));

    /// <summary><c>name=value</c>, <c>"name": "value"</c> and their like. A value in quotation marks ends with them, any other with the text.</summary>
    /// <param name="valuesAreWords">Any other ends with its word, and words about secrets are none: <c>password: expired</c>.</param>
    public static void Assignments(ReadOnlySpan<byte> text, Span<bool> marks, bool valuesAreWords = false)
    {
        ReadOnlySpan<byte> before = default;
        for (var position = 0; position < text.Length;)
        {
            var length = text[position..].IndexOfAnyExcept(NameLetters);
            length = length < 0 ? text.Length - position : length;
            if (length == 0)
            {
                position++;
                continue;
            }

            var name = text.Slice(position, length);
            position += length;
            var isSecret = IsSecret(name, before) || IsInQuery(text[..(position - length)], name);
            var mayBe = !isSecret && text[..(position - length)] is not [.., (byte)'/'] && SecretNames.MayBeSecret(name);
            var value = ValueAfter(text, position, isSecret || mayBe, Is(name, "bearer"u8) || (Is(name, "by"u8) && Is(before, "identified"u8)));
            before = name;
            if (value < 0 || (mayBe && SecretNames.IsPlainValue(text[value..])))
                continue;
            if (valuesAreWords && !IsCredentialHeader(name) && SecretNames.IsPlainWord(text[value..]))
                continue;

            var end = IsCredentialHeader(name) ? text.Length : EndOf(text, value, valuesAreWords);
            marks[value..end].Fill(true);
            position = end;
        }
    }

    /// <summary><c>scheme://user:password@host</c> (RFC 3986, 3.2.1), and the same without a scheme. Passwords may hold any sign.</summary>
    public static void Urls(ReadOnlySpan<byte> text, Span<bool> marks)
    {
        for (var position = 0; position < text.Length;)
        {
            var length = text[position..].IndexOfAny(UrlEnd);
            length = length < 0 ? text.Length - position : length;
            var url = text.Slice(position, length);
            var host = url.LastIndexOf((byte)'@');
            var scheme = url.IndexOf("://"u8);
            var user = scheme < 0 ? 0 : scheme + 3;
            var password = host > user ? url[user..host].IndexOf((byte)':') : -1;
            if (password >= 0 && user + password + 1 < host)
                marks[(position + user + password + 1)..(position + host)].Fill(true);
            else if (host > user && scheme >= 0 && !NamesUsers(url[..scheme]))
                marks[(position + user)..(position + host)].Fill(true);
            position += length + 1;
        }
    }

    /// <summary>Whether what stands alone before the @ of such a URL is a user; elsewhere it is often a token.</summary>
    public static bool NamesUsers(ReadOnlySpan<byte> scheme) =>
        scheme.SequenceEqual("ssh"u8) || scheme.SequenceEqual("sftp"u8) || scheme.EndsWith("+ssh"u8);

    /// <returns>Where the value begins, or -1.</returns>
    private static int ValueAfter(ReadOnlySpan<byte> text, int position, bool isSecret, bool isSecretBeforeBlanks)
    {
        if (!isSecret && !isSecretBeforeBlanks)
            return -1;

        // "name": and user[name]=
        var divider = position;
        while (divider < text.Length && text[divider] is (byte)'"' or (byte)'\'' or (byte)']' or (byte)')' or (byte)'\\')
            divider++;
        var value = SkipBlanks(text, divider);
        var isDivided = value < text.Length && text[value] is (byte)'=' or (byte)':';
        while (value < text.Length && text[value] is (byte)'=' or (byte)':' or (byte)'>')
            value++;
        var hasBlanks = !isDivided && value > position;
        value = SkipBlanks(text, value);
        if (value >= text.Length)
            return -1;

        // PASSWORD 'secret' as in SQL.
        var isQuoted = text[value] is (byte)'"' or (byte)'\'';
        return isDivided || (hasBlanks && (isSecretBeforeBlanks || isQuoted)) ? value : -1;
    }

    /// <summary>Behind the closing quotation mark, when the value is nothing but a quotation.</summary>
    private static int EndOf(ReadOnlySpan<byte> text, int value, bool isWord)
    {
        var quote = text[value];
        if (quote is not ((byte)'"' or (byte)'\''))
            return isWord && text[value..].IndexOfAny(" \t\r\n"u8) is var end and >= 0 ? value + end : text.Length;

        for (var i = value + 1; i < text.Length; i++)
        {
            if (text[i] == (byte)'\\')
                i++;
            else if (text[i] == quote)
                return i + 1 == text.Length || " \t\r\n,;&|)]}"u8.Contains(text[i + 1]) ? i + 1 : text.Length;
        }

        return text.Length;
    }

    /// <summary>Of a URL: <c>?key=</c>, <c>&amp;sig=</c>.</summary>
    private static bool IsInQuery(ReadOnlySpan<byte> before, ReadOnlySpan<byte> name) =>
        before is [.., (byte)'?' or (byte)'&'] && (Is(name, "key"u8) || Is(name, "sig"u8) || Is(name, "signature"u8) || Is(name, "auth"u8));

    /// <param name="before">The name before it: "api key" is two words.</param>
    private static bool IsSecret(ReadOnlySpan<byte> name, ReadOnlySpan<byte> before)
    {
        if (IsCredentialHeader(name) || SecretText.IsSecretName(name))
            return true;
        return (Is(name, "key"u8) || Is(name, "keys"u8)) && before.Length is > 0 and < 100
            && SecretNames.IsSecret([.. before, (byte)' ', .. name]);
    }

    private static int SkipBlanks(ReadOnlySpan<byte> text, int position)
    {
        while (position < text.Length && text[position] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            position++;
        return position;
    }

    private static bool EndsWith(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) =>
        name.Length >= lowerCase.Length && Is(name[^lowerCase.Length..], lowerCase);

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) => System.Text.Ascii.EqualsIgnoreCase(name, lowerCase);
}
