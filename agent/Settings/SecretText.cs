using System.Buffers;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Watch.Who;
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

    /// <param name="reach">How widely it is looked for.</param>
    public static bool Holds(ReadOnlySpan<byte> content, SecretReach reach) => reach switch
    {
        SecretReach.None => false,
        SecretReach.Assignments => IsSuspect(content, blanksDivide: false),
        SecretReach.Commands => IsSuspect(content, blanksDivide: false) || HoldsCommand(content),
        _ => IsSuspect(content, blanksDivide: true) || HoldsCommand(content),
    };

    /// <summary>Whether a name promises a secret; a password is called "pw" only where a program's settings are meant.</summary>
    public static bool IsSecretName(ReadOnlySpan<byte> name) =>
        SecretNames.IsSecret(name) || (name.Length > 2 && !char.IsAsciiLetterOrDigit((char)name[^3]) && IsWord(name[^2..], "pw"u8));

    private static bool IsSuspect(ReadOnlySpan<byte> content, bool blanksDivide)
    {
        if (PrivateKeyText.IsIn(content) || HoldsUrlWithCredentials(content) || TokenText.IsIn(content))
            return true;

        ReadOnlySpan<byte> before = default;
        bool isComment = false, isFirstOfLine = true;
        for (var position = 0; position < content.Length;)
        {
            if (!IsNamePart(content[position]))
            {
                var letter = content[position++];
                if (letter == '\n')
                {
                    (isComment, isFirstOfLine) = (false, true);
                    before = default;
                    continue;
                }

                isComment |= isFirstOfLine && letter is (byte)'#' or (byte)';';
                isFirstOfLine &= letter is (byte)' ' or (byte)'\t';
                continue;
            }

            isFirstOfLine = false;
            var end = position;
            while (end < content.Length && IsNamePart(content[end]))
                end++;
            var word = content[position..end];
            if (HasValue(content[end..], blanksDivide && !isComment, out var value)
                && (IsSecretName(word, before, content[..position] is [.., (byte)'/'] ? [] : value) || CredentialText.IsIn(content[..position], word, value)))
                return true;
            if (!blanksDivide && !isComment && content[end..] is [(byte)' ' or (byte)'\t', ..] && IsSecretArgument(word) && HasValue(content[end..], true, out _))
                return true;
            before = content[position..end];
            position = end;
        }

        return false;
    }

    /// <summary><c>scheme://user:password@host</c> and <c>scheme://token@host</c> (RFC 3986, 3.2.1); people leave slashes in passwords as they are.</summary>
    private static bool HoldsUrlWithCredentials(ReadOnlySpan<byte> content)
    {
        while (true)
        {
            var begin = content.IndexOf("://"u8);
            if (begin < 0)
                return false;
            var scheme = content[..begin];
            scheme = scheme[(scheme.LastIndexOfAnyExcept(MaskedText.NameLetters) + 1)..];
            content = content[(begin + 3)..];
            var end = content.IndexOfAny(UrlEnd);
            var url = end < 0 ? content : content[..end];
            var host = url.IndexOf((byte)'@');
            var password = url.IndexOf((byte)':');
            if (password >= 0 && password < host ? host > 1 : host > 0 && url[..host].IndexOf((byte)'/') < 0 && !MaskedText.NamesUsers(scheme))
                return true;
        }
    }

    /// <summary>What well-known programs take as a password, by names that promise none. A command goes on behind a backslash.</summary>
    private static bool HoldsCommand(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            var length = 0;
            do
            {
                var end = content[length..].IndexOf((byte)'\n');
                length = end < 0 ? content.Length : length + end + 1;
            }
            while (length > 1 && length < content.Length && content[length - 2] == (byte)'\\');

            if (CommandLineMask.FindsIn(content[..length]))
                return true;
            content = content[length..];
        }

        return false;
    }

    /// <summary>Whether a value follows a name.</summary>
    /// <param name="rest">What follows the name's last letter.</param>
    /// <param name="value">From its first byte on.</param>
    private static bool HasValue(ReadOnlySpan<byte> rest, bool blanksDivide, out ReadOnlySpan<byte> value)
    {
        // "name": as JSON has it, where what follows may stand on the next line; %{name} and user[name].
        var isQuoted = rest.Length > 0 && rest[0] is (byte)'"' or (byte)'\'';
        var blanks = isQuoted ? " \t\r\n"u8 : " \t"u8;
        value = rest.Length > 0 && (isQuoted || rest[0] is (byte)'}' or (byte)']') ? rest[1..] : rest;
        var unspaced = value.TrimStart(blanks);
        var isDivided = blanksDivide && unspaced.Length < value.Length;
        value = unspaced;
        if (value.Length > 0 && (value[0] == '=' || value.StartsWith("!="u8) || (value[0] == ':' && (blanksDivide || isQuoted))))
        {
            isDivided = true;
            value = value.TrimStart("!=:>~"u8).TrimStart(blanks);
        }

        if (!isDivided || value.IsEmpty || value[0] is (byte)'\n' or (byte)'\r' or (byte)',' or (byte)';' or (byte)'}' or (byte)']' or (byte)')')
            return false;
        return !value.StartsWith("\"\""u8) && !value.StartsWith("''"u8);
    }

    /// <summary>Of a PAM module, <c>secret x</c>. Where "password" belongs to the language, what is before its blanks says nothing.</summary>
    private static bool IsSecretArgument(ReadOnlySpan<byte> word) =>
        word.IndexOf("ass"u8) < 0 && IsSecretName(word);

    /// <param name="before">The word before it in the same line: "api key" is two.</param>
    /// <param name="value">Empty for a path's last part, which may be called app.key.</param>
    private static bool IsSecretName(ReadOnlySpan<byte> word, ReadOnlySpan<byte> before, ReadOnlySpan<byte> value)
    {
        if (IsSecretName(word) || SecretNames.IsSecret(word, value))
            return true;
        if (!(IsWord(word, "key"u8) || IsWord(word, "keys"u8)) || before.IsEmpty || before.Length > 100)
            return false;

        Span<byte> both = stackalloc byte[before.Length + 1 + word.Length];
        before.CopyTo(both);
        both[before.Length] = (byte)' ';
        word.CopyTo(both[(before.Length + 1)..]);
        return SecretNames.IsSecret(both);
    }

    private static bool IsWord(ReadOnlySpan<byte> word, ReadOnlySpan<byte> lowerCase) =>
        System.Text.Ascii.EqualsIgnoreCase(word, lowerCase);

    private static bool IsNamePart(byte letter) =>
        char.IsAsciiLetterOrDigit((char)letter) || letter is (byte)'_' or (byte)'-' or (byte)'.' || letter >= 0x80;
}
