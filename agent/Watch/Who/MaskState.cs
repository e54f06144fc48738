using Telemetry.Agent.Settings;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Who;

/// <summary>What the argument that comes next is.</summary>
internal enum Awaited
{
    Nothing,
    Secret,

    /// <summary>Unless it shows to be none (<see cref="SecretNames.IsPlainValue"/>).</summary>
    SecretUnlessPlain,
    UserAndPassword,
}

/// <summary>What the arguments so far say about the next one.</summary>
/// <remarks>A value that is handed on by reference: the words inside an argument have one of their own.</remarks>
internal struct MaskState
{
    private bool _isFurther, _isIdentified;
    private Awaited _awaited;
    private SeenPrograms _programs;

    public bool IsInsideKey { get; set; }

    /// <summary>A line of a file or what a program says, rather than a command: words such as "password" may be words, and what looks random a digest.</summary>
    public bool IsText { get; init; }

    /// <summary>The argument that was taken last follows something like <c>-c</c>: a shell reads it, not one program.</summary>
    public bool IsScript { get; private set; }

    private bool NextIsScript { get; set; }

    /// <summary>Whether the command so far reads a secret from its standard input.</summary>
    public readonly bool ReadsSecret => _programs.ReadsSecret;

    /// <summary>Whether an argument's own value is a secret, whatever its name: <c>vault kv put app a=secret</c>.</summary>
    public readonly bool IsPair(ReadOnlySpan<byte> argument) =>
        _programs.HasPairs && argument.IndexOf((byte)'=') is var equals and > 0 && argument[0] != (byte)'-' && !argument[equals..].StartsWith("=@"u8);

    /// <summary>For the words of an argument: the programs named so far are the same.</summary>
    public readonly MaskState Inner() => new() { _programs = _programs, IsText = IsText };

    /// <summary>Another command begins.</summary>
    public void NextCommand() => this = new MaskState { IsText = IsText, IsInsideKey = IsInsideKey };

    /// <summary>What was awaited where this argument stands. Something like <c>=</c> alone only divides.</summary>
    public Awaited Take(ReadOnlySpan<byte> argument)
    {
        IsScript = NextIsScript;
        NextIsScript = false;
        if (IsDivider(argument))
            return Awaited.Nothing;
        if (argument[0] != (byte)'-' && _programs.TakesArgument())
            return Awaited.Secret;

        // An option instead: mysql -p -u root
        if (argument is [(byte)'-', _])
            return Awaited.Nothing;
        return _awaited == Awaited.SecretUnlessPlain && (argument[0] == (byte)'-' || SecretNames.IsPlainValue(argument)) ? Awaited.Nothing : _awaited;
    }

    /// <param name="taken">What <see cref="Take"/> said of this argument.</param>
    public void Await(ReadOnlySpan<byte> argument, Awaited taken)
    {
        if (IsDivider(argument))
            return;

        var isFirst = !_isFurther;
        _isFurther = true;
        _awaited = Next(argument, isFirst);
        if (taken == Awaited.Secret && IsScheme(argument))
            _awaited = Awaited.Secret;
        NextIsScript = argument is [(byte)'-', not (byte)'-', ..] && argument[^1] == (byte)'c';
        _isIdentified = IsWord(argument, "identified"u8);
        _programs.See(argument, IsText);
    }

    /// <summary>Where the password begins in one such as <c>-psecret</c>, or 0.</summary>
    public readonly int Attached(ReadOnlySpan<byte> argument)
    {
        var isQuoted = argument is [(byte)'"' or (byte)'\'', ..];
        var option = isQuoted ? argument[1..] : argument;
        if (option.Length < 3)
            return 0;

        var start = _programs.Attached(option);

        // curl -uuser:password
        if (start == 0 && option[0] == (byte)'-' && option[1] is (byte)'u' or (byte)'U')
            start = option.IndexOfAny((byte)':', (byte)'%') + 1;
        return start == 0 ? 0 : start + (isQuoted ? 1 : 0);
    }

    private readonly Awaited Next(ReadOnlySpan<byte> argument, bool isFirst)
    {
        if (_programs.TakesNext(argument))
            return Awaited.Secret;

        // -u, and -su of curl.
        var isOption = argument[0] == (byte)'-';
        if ((isOption && argument.Length is >= 2 and <= 5 && argument[1] != (byte)'-' && argument[^1] is (byte)'u' or (byte)'U')
            || argument.SequenceEqual("--user"u8) || argument.SequenceEqual("--proxy-user"u8))
            return Awaited.UserAndPassword;

        var name = argument.TrimEnd("=:>"u8);
        if (isOption && name.IndexOfAnyExcept(MaskedText.NameLetters) < 0)
        {
            return SecretText.IsSecretName(name) ? Awaited.Secret
                : SecretNames.MayBeSecret(name) ? Awaited.SecretUnlessPlain
                : Awaited.Nothing;
        }

        if (IsText)
            return Awaited.Nothing;
        if (MaskedText.IsCredentialHeader(name) || IsScheme(name) || (_isIdentified && IsWord(name, "by"u8)))
            return Awaited.Secret;

        // npm's //registry/:_authToken
        if (name.StartsWith("//"u8))
            name = name[(name.LastIndexOf((byte)':') + 1)..];
        var isName = !name.IsEmpty && name.IndexOfAnyExcept(MaskedText.NameLetters) < 0 && SecretText.IsSecretName(name);

        // The programs passwd and pass take a user and a name.
        var isProgram = SeenPrograms.IsProgram(name);
        return isName && ((!isFirst && !isProgram) || name.Length < argument.Length) ? Awaited.Secret : Awaited.Nothing;
    }

    /// <summary>Nothing but signs that divide, or a backslash before a line's end.</summary>
    private static bool IsDivider(ReadOnlySpan<byte> argument) => argument.IndexOfAnyExcept("=:>\\\n"u8) < 0;

    /// <summary>Of HTTP's <c>Authorization</c> (RFC 9110, 11.4): the credentials follow.</summary>
    private static bool IsScheme(ReadOnlySpan<byte> word) =>
        word.Length <= 16 && (IsWord(word, "bearer"u8) || IsWord(word, "basic"u8) || IsWord(word, "token"u8) || IsWord(word, "digest"u8));

    private static bool IsWord(ReadOnlySpan<byte> word, ReadOnlySpan<byte> lowerCase) => System.Text.Ascii.EqualsIgnoreCase(word, lowerCase);
}
