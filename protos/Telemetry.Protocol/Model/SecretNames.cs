using System.Buffers;
using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>Whether the name of a setting, an option or a parameter promises a secret as its value. ASCII case does not count.</summary>
/// <remarks>
/// A name is a row of words, divided by anything but letters and digits and where a capital begins one (<c>bindPassword</c>,
/// <c>APIKey</c>). The last word decides, since what comes before only says whose secret it is, while <c>PasswordFile</c> and
/// <c>PASS_MAX_DAYS</c> are no secrets; digits at its end do not count.
/// </remarks>
public static class SecretNames
{
    private const int MaxLength = 256;

    private static readonly SearchValues<byte> ValueEnd = SearchValues.Create(" \t\r\n\"',;&"u8);

    private static readonly string[] LastWords =
    [
        "password", "passwords", "passwd", "passphrase", "passphrases", "pass", "pwd", "secret", "secrets", "token", "credential", "credentials", "psk",
    ];

    // Whatever is grown together with these.
    private static readonly string[] LastWordEndings = ["password", "passwd", "passphrase"];

    // Before "key" or "keys"; other keys are names, or public.
    private static readonly string[] KeyWords =
    [
        "access", "account", "api", "auth", "authentication", "encryption", "hmac", "master", "preshared", "private", "secret", "session",
        "shared", "signing",
    ];

    // Before "key" as well: what such a key opens, sorts or names is no secret, or lies in a file of its own.
    private static readonly string[] PlainKeyWords =
    [
        "public", "pub", "certificate", "cert", "ca", "host", "authorized", "trusted", "known", "primary", "foreign", "unique", "natural", "sort", "hash",
        "partition", "cluster", "distribution", "routing", "cache", "zone", "group", "row", "index", "lookup", "map", "range", "object", "join",
        "hot", "function", "arrow", "modifier", "compose", "ssl", "tls", "ssh", "gpg", "pgp", "apt", "rpm", "luks", "registry", "idempotency",
        "message", "label", "annotation", "tag", "metric", "config", "sub", "any", "no", "the", "add", "get", "list", "recv", "with", "import", "export",
        "default", "delete", "search", "send", "edit", "refresh", "sign", "quick", "full", "bind", "local", "locate", "clear", "fetch",
    ];

    // No secret, but a word about one, or where it is.
    private static readonly string[] PlainValues =
    [
        "yes", "no", "true", "false", "on", "off", "none", "null", "nil", "auto", "default", "always", "never", "enabled", "disabled", "required",
        "optional", "set", "unset", "missing", "ok", "valid", "invalid", "expired", "basic", "digest", "bearer", "negotiate", "ntlm", "kerberos",
        "gssapi", "login", "plain", "any", "md5", "peer", "trust", "ldap", "pam", "file", "system", "shadow",
    ];

    // Words of well-known programs, in lower case and without dividers: Redis, LDAP, Rails, WPA, systemd, SNMP.
    private static readonly string[] KnownSecret =
    [
        "requirepass", "masterauth", "bindpw", "rootpw", "olcrootpw", "secretkeybase", "wpapsk", "setcredentialbinary", "authpass",
        "privpass", "clientsecret", "sharedsecret", "authtoken", "accesstoken", "storepass", "keypass", "authtokens", "accesstokens", "apitokens",
    ];

    // "pass" as a verb: where requests go (nginx, Apache), how mail is handed on; sudo's word for asking no password, sshd's for taking an empty one.
    private static readonly string[] KnownPlain =
    [
        "proxypass", "fastcgipass", "uwsgipass", "scgipass", "grpcpass", "memcachedpass", "nopasswd", "nopassword", "checkpass",
        "bypass", "permitemptypasswords", "tryfirstpass", "usefirstpass", "forwardpass",
    ];

    public static bool IsSecret(ReadOnlySpan<byte> name) => Promise(name) == Promised.Secret;

    /// <summary>
    /// The same where the value is at hand: then a key that may be anything (<c>APP_KEY</c>, <c>ldap.key</c>) and an option such as
    /// <c>--auth</c> count as well, unless the value is a path, a variable, or a word about secrets.
    /// </summary>
    public static bool IsSecret(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => Promise(name) switch
    {
        Promised.Secret => true,
        Promised.Perhaps => !IsPlainValue(value),
        _ => false,
    };

    /// <summary>Where the value may still come: whether a name promises a secret, or may.</summary>
    public static bool MayBeSecret(ReadOnlySpan<byte> name) => Promise(name) != Promised.Nothing;

    /// <summary>A path, a small number, a variable, an empty text, or a word about secrets.</summary>
    /// <param name="value">From its first byte on; what follows its first word does not count.</param>
    public static bool IsPlainValue(ReadOnlySpan<byte> value)
    {
        value = FirstWord(value);
        if (value.IsEmpty || value[0] is (byte)'/' or (byte)'.' or (byte)'~' or (byte)'$' or (byte)'%' or (byte)'@')
            return true;
        return value.Length <= 2 || value.IndexOf("://"u8) > 0 || value.StartsWith("file:"u8) || IsPlainWord(value);
    }

    /// <summary>A word about secrets, such as "expired".</summary>
    /// <param name="value">As above.</param>
    public static bool IsPlainWord(ReadOnlySpan<byte> value)
    {
        value = FirstWord(value);
        foreach (var word in PlainValues)
        {
            if (Ascii.EqualsIgnoreCase(value, word))
                return true;
        }

        return false;
    }

    private static ReadOnlySpan<byte> FirstWord(ReadOnlySpan<byte> value)
    {
        value = value[..Math.Min(value.Length, MaxLength)].TrimStart(" \t\r\n\"'"u8);
        return value[..(value.IndexOfAny(ValueEnd) is var end and >= 0 ? end : value.Length)].TrimEnd(".)"u8);
    }

    private static Promised Promise(ReadOnlySpan<byte> name)
    {
        // Of a name of that length only the end can be a word.
        name = name.Length > MaxLength ? name[^MaxLength..] : name;
        Span<char> letters = stackalloc char[MaxLength];
        Span<int> starts = stackalloc int[MaxLength];
        var (length, words) = Split(name, letters, starts);
        if (words == 0)
            return Promised.Nothing;

        var all = letters[..length].TrimEnd("0123456789");
        var last = LastWord(all, starts[..words], out var before);
        if (IsOneOf(all, KnownPlain))
            return Promised.Nothing;
        if (IsOneOf(last, LastWords)
            || EndsInOneOf(last, LastWordEndings)
            || EndsInOneOf(all, KnownSecret)
            || (last is "key" or "keys" && IsOneOf(before, KeyWords))
            || IsGrownTogether(last))
        {
            return Promised.Secret;
        }

        // Two words of a text are no name.
        var isKey = last is "key" or "keys" && !before.IsEmpty && !name.Contains((byte)' ') && !IsOneOf(before, PlainKeyWords);
        return isKey || (last is "auth" && name[0] == (byte)'-') ? Promised.Perhaps : Promised.Nothing;
    }

    /// <summary>The letters and digits of a name in lower case, and where its words start.</summary>
    private static (int Length, int Words) Split(ReadOnlySpan<byte> name, Span<char> letters, Span<int> starts)
    {
        int length = 0, words = 0;
        var isInside = false;
        for (var i = 0; i < name.Length; i++)
        {
            var letter = (char)name[i];
            if (!char.IsAsciiLetterOrDigit(letter))
            {
                isInside = false;
                continue;
            }

            if (!isInside || BeginsByCapital(name, i))
                starts[words++] = length;
            isInside = true;
            letters[length++] = char.ToLowerInvariant(letter);
        }

        return (length, words);
    }

    /// <summary>After a small letter or a digit, or as the last of a row of capitals: the K of APIKey.</summary>
    private static bool BeginsByCapital(ReadOnlySpan<byte> name, int index) =>
        char.IsAsciiLetterUpper((char)name[index])
        && (!char.IsAsciiLetterUpper((char)name[index - 1])
            || (index + 1 < name.Length && char.IsAsciiLetterLower((char)name[index + 1])));

    private static ReadOnlySpan<char> LastWord(ReadOnlySpan<char> letters, ReadOnlySpan<int> starts, out ReadOnlySpan<char> before)
    {
        // Words that were nothing but digits are gone.
        var last = starts.Length - 1;
        while (last > 0 && starts[last] >= letters.Length)
            last--;
        before = last > 0 ? letters[starts[last - 1]..starts[last]] : [];
        return starts[last] < letters.Length ? letters[starts[last]..] : [];
    }

    private static bool IsOneOf(ReadOnlySpan<char> word, string[] words)
    {
        foreach (var candidate in words)
        {
            if (word.SequenceEqual(candidate))
                return true;
        }

        return false;
    }

    private static bool EndsInOneOf(ReadOnlySpan<char> word, string[] endings)
    {
        foreach (var ending in endings)
        {
            if (word.EndsWith(ending))
                return true;
        }

        return false;
    }

    /// <summary><c>apikey</c>, <c>secretkey</c>.</summary>
    private static bool IsGrownTogether(ReadOnlySpan<char> word) =>
        (word.EndsWith("key") && IsOneOf(word[..^3], KeyWords)) || (word.EndsWith("keys") && IsOneOf(word[..^4], KeyWords));

    private enum Promised
    {
        Nothing,
        Perhaps,
        Secret,
    }
}
