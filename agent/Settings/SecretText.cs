using System.Buffers;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Settings;

/// <summary>
/// Tells a text that seems to hold a secret: a setting or option with a secret name and a value, a password inside a URL, what
/// programs take as a password, or a private key. Whole files and single values are judged alike, so a file is called secret
/// whenever one of its values is.
/// </summary>
/// <remarks>Pure, and textual: it calls more secret than is. What is called so in vain is compared all the same, by a keyed digest.</remarks>
internal static class SecretText
{
    private static readonly SearchValues<byte> UrlEnd = SearchValues.Create(" \t\r\n\"'<>"u8);

    /// <summary>Whether a name stands before a value with <c>=</c>, <c>:</c> or blanks between them; in comments only with one of the signs.</summary>
    public static bool Holds(ReadOnlySpan<byte> content) => IsSuspect(content, blanksDivide: true);

    /// <summary>The same, but only <c>=</c> divides: where words such as "password" are part of the language (pam, sshd, nsswitch).</summary>
    public static bool HoldsAssignment(ReadOnlySpan<byte> content) => IsSuspect(content, blanksDivide: false);

    /// <summary>Whether a name promises a secret; a password is called "pw" only where a program's settings are meant.</summary>
    public static bool IsSecretName(ReadOnlySpan<byte> name) =>
        SecretNames.IsSecret(name) || (name.Length > 2 && !char.IsAsciiLetterOrDigit((char)name[^3]) && IsWord(name[^2..], "pw"u8));

    private static bool IsSuspect(ReadOnlySpan<byte> content, bool blanksDivide)
    {
        if (HoldsPrivateKey(content) || HoldsUrlWithPassword(content))
            return true;

        ReadOnlySpan<byte> before = default;
        var isComment = false;
        for (var position = 0; position < content.Length;)
        {
            if (!IsNamePart(content[position]))
            {
                if (content[position] == '\n')
                {
                    isComment = false;
                    before = default;
                }
                else if (content[position] is (byte)'#' or (byte)';' && IsFirstOfLine(content, position))
                    isComment = true;
                position++;
                continue;
            }

            var end = position;
            while (end < content.Length && IsNamePart(content[end]))
                end++;
            var word = content[position..end];
            if (HasValue(content[end..], blanksDivide && !isComment, out var value) && (IsSecretName(word, before) || IsSecretOption(word, value)))
                return true;
            before = content[position..end];
            position = end;
        }

        return false;
    }

    /// <summary>PEM (RFC 7468), wherever it stands.</summary>
    private static bool HoldsPrivateKey(ReadOnlySpan<byte> content)
    {
        while (true)
        {
            var begin = content.IndexOf("-----BEGIN "u8);
            if (begin < 0)
                return false;
            content = content[(begin + 11)..];
            var line = content[..Math.Min(content.Length, 64)];
            var label = line.IndexOf("-----"u8);
            if (label >= 0 && line[..label].EndsWith("PRIVATE KEY"u8))
                return true;
        }
    }

    /// <summary><c>scheme://user:password@host</c> (RFC 3986, 3.2.1); people leave slashes in passwords as they are.</summary>
    private static bool HoldsUrlWithPassword(ReadOnlySpan<byte> content)
    {
        while (true)
        {
            var begin = content.IndexOf("://"u8);
            if (begin < 0)
                return false;
            content = content[(begin + 3)..];
            var end = content.IndexOfAny(UrlEnd);
            var url = end < 0 ? content : content[..end];
            var host = url.IndexOf((byte)'@');
            var password = url.IndexOf((byte)':');
            if (password >= 0 && password + 1 < host)
                return true;
        }
    }

    /// <summary>Whether a value follows a name.</summary>
    /// <param name="rest">What follows the name's last letter.</param>
    /// <param name="value">From its first byte on.</param>
    private static bool HasValue(ReadOnlySpan<byte> rest, bool blanksDivide, out ReadOnlySpan<byte> value)
    {
        // "name": as JSON has it, where what follows may stand on the next line.
        var isQuoted = rest.Length > 0 && rest[0] is (byte)'"' or (byte)'\'';
        var blanks = isQuoted ? " \t\r\n"u8 : " \t"u8;
        value = isQuoted ? rest[1..] : rest;
        var unspaced = value.TrimStart(blanks);
        var isDivided = blanksDivide && unspaced.Length < value.Length;
        value = unspaced;
        if (value.Length > 0 && (value[0] == '=' || (value[0] == ':' && (blanksDivide || isQuoted))))
        {
            isDivided = true;
            value = value.TrimStart("=:>"u8).TrimStart(blanks);
        }

        if (!isDivided || value.IsEmpty || value[0] is (byte)'\n' or (byte)'\r' or (byte)',' or (byte)';' or (byte)'}' or (byte)']' or (byte)')')
            return false;
        return !value.StartsWith("\"\""u8) && !value.StartsWith("''"u8);
    }

    /// <param name="before">The word before it in the same line: "api key" is two.</param>
    private static bool IsSecretName(ReadOnlySpan<byte> word, ReadOnlySpan<byte> before)
    {
        if (IsSecretName(word))
            return true;
        if (!(IsWord(word, "key"u8) || IsWord(word, "keys"u8)) || before.IsEmpty || before.Length > 100)
            return false;

        Span<byte> both = stackalloc byte[before.Length + 1 + word.Length];
        before.CopyTo(both);
        both[before.Length] = (byte)' ';
        word.CopyTo(both[(before.Length + 1)..]);
        return SecretNames.IsSecret(both);
    }

    /// <summary>What well-known programs take as a password, by names that promise none.</summary>
    private static bool IsSecretOption(ReadOnlySpan<byte> word, ReadOnlySpan<byte> value)
    {
        // curl: -u user:password, and headers.
        if (IsWord(word, "-u"u8) || IsWord(word, "--user"u8) || IsWord(word, "--proxy-user"u8))
        {
            var end = value.IndexOfAny(" \t\r\n"u8);
            var user = end < 0 ? value : value[..end];
            var colon = user.IndexOf((byte)':');
            return colon >= 0 && colon + 1 < user.Length;
        }

        // sshpass -p password, mysql -ppassword.
        return IsWord(word, "authorization"u8)
            || IsWord(word, "sshpass"u8)
            || ((word.StartsWith("mysql"u8) || word.StartsWith("mariadb"u8)) && HasAttachedPassword(value));
    }

    private static bool HasAttachedPassword(ReadOnlySpan<byte> arguments)
    {
        var end = arguments.IndexOf((byte)'\n');
        arguments = end < 0 ? arguments : arguments[..end];
        for (var at = arguments.IndexOf("-p"u8); at >= 0;)
        {
            var isOption = at == 0 || arguments[at - 1] is (byte)' ' or (byte)'\t';
            if (isOption && at + 2 < arguments.Length && arguments[at + 2] is not ((byte)' ' or (byte)'\t'))
                return true;
            arguments = arguments[(at + 2)..];
            at = arguments.IndexOf("-p"u8);
        }

        return false;
    }

    private static bool IsWord(ReadOnlySpan<byte> word, ReadOnlySpan<byte> lowerCase) =>
        System.Text.Ascii.EqualsIgnoreCase(word, lowerCase);

    private static bool IsNamePart(byte letter) =>
        char.IsAsciiLetterOrDigit((char)letter) || letter is (byte)'_' or (byte)'-' or (byte)'.' || letter >= 0x80;

    private static bool IsFirstOfLine(ReadOnlySpan<byte> content, int position)
    {
        var line = content[..position];
        line = line[(line.LastIndexOf((byte)'\n') + 1)..];
        return line.TrimStart(" \t"u8).IsEmpty;
    }
}
