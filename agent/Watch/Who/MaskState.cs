using Telemetry.Agent.Settings;

namespace Telemetry.Agent.Watch.Who;

/// <summary>What the argument that comes next is.</summary>
internal enum Awaited
{
    Nothing,
    Secret,
    UserAndPassword,
}

/// <summary>What the arguments so far say about the next one.</summary>
internal sealed class MaskState
{
    private bool _isFirst = true;
    private bool _isLogin, _isIdentified;
    private Awaited _awaited;
    private Programs _programs = new();

    public bool IsInsideKey { get; set; }

    /// <summary>A line of a file rather than a command: words such as "password" may be words, and what looks random a digest.</summary>
    public bool IsText { get; init; }

    /// <summary>The argument that was taken last follows something like <c>-c</c>: a shell reads it, not one program.</summary>
    public bool IsScript { get; private set; }

    private bool NextIsScript { get; set; }

    /// <summary>For the words of an argument: the programs named so far are the same.</summary>
    public MaskState Inner() => new() { _programs = _programs, IsText = IsText };

    /// <summary>What was awaited where this argument stands. Something like <c>=</c> alone only divides.</summary>
    public Awaited Take(ReadOnlySpan<byte> argument)
    {
        IsScript = NextIsScript;
        NextIsScript = false;
        return argument.IndexOfAnyExcept("=:>"u8) < 0 ? Awaited.Nothing : _awaited;
    }

    /// <param name="taken">What <see cref="Take"/> said of this argument.</param>
    public void Await(ReadOnlySpan<byte> argument, Awaited taken)
    {
        var isFirst = _isFirst;
        _isFirst = false;
        if (argument.IndexOfAnyExcept("=:>"u8) < 0)
            return;

        _awaited = Next(argument, isFirst);
        if (taken == Awaited.Secret && IsScheme(argument))
            _awaited = Awaited.Secret;
        NextIsScript = argument is [(byte)'-', not (byte)'-', ..] && argument[^1] == (byte)'c';
        _isIdentified = IsWord(argument, "identified"u8);
        _programs.See(argument);
        _isLogin |= argument.SequenceEqual("login"u8);
        if (_isLogin)
            _programs.Add((byte)'p');
    }

    /// <summary>Where the password begins in one such as <c>-psecret</c>, or 0.</summary>
    public int Attached(ReadOnlySpan<byte> argument)
    {
        var isQuoted = argument is [(byte)'"' or (byte)'\'', ..];
        var option = isQuoted ? argument[1..] : argument;
        if (option.Length < 3 || option[0] != (byte)'-' || option[1] == (byte)'-')
            return 0;

        // curl -uuser:password
        var colon = option[1] is (byte)'u' or (byte)'U' ? option.IndexOfAny((byte)':', (byte)'%') + 1 : 0;
        var start = _programs.Takes(option[1]) ? 2 : colon;
        return start == 0 ? 0 : start + (isQuoted ? 1 : 0);
    }

    private Awaited Next(ReadOnlySpan<byte> argument, bool isFirst)
    {
        if (argument is [(byte)'-', var letter] && _programs.Takes(letter))
            return Awaited.Secret;
        if (argument.SequenceEqual("-u"u8) || argument.SequenceEqual("-U"u8)
            || argument.SequenceEqual("--user"u8) || argument.SequenceEqual("--proxy-user"u8))
            return Awaited.UserAndPassword;

        var name = argument.TrimEnd("=:>"u8);
        if (IsText)
            return argument[0] == (byte)'-' && SecretText.IsSecretName(name) ? Awaited.Secret : Awaited.Nothing;
        if (MaskedText.IsCredentialHeader(name) || IsScheme(name) || (_isIdentified && IsWord(name, "by"u8)))
            return Awaited.Secret;
        var isName = !name.IsEmpty && name.IndexOfAnyExcept(MaskedText.NameLetters) < 0 && SecretText.IsSecretName(name);

        // The programs passwd and pass take a user and a name.
        var isProgram = name.SequenceEqual("passwd"u8) || name.SequenceEqual("pass"u8);
        return isName && (name[0] == (byte)'-' || (!isFirst && !isProgram) || name.Length < argument.Length) ? Awaited.Secret : Awaited.Nothing;
    }

    /// <summary>Of HTTP's <c>Authorization</c> (RFC 9110, 11.4): the credentials follow.</summary>
    private static bool IsScheme(ReadOnlySpan<byte> word) =>
        word.Length <= 16 && (IsWord(word, "bearer"u8) || IsWord(word, "basic"u8) || IsWord(word, "token"u8) || IsWord(word, "digest"u8));

    private static bool IsWord(ReadOnlySpan<byte> word, ReadOnlySpan<byte> lowerCase) => System.Text.Ascii.EqualsIgnoreCase(word, lowerCase);

    /// <summary>Letters of options behind which the programs that were named take a password.</summary>
    private sealed class Programs
    {
        private readonly HashSet<byte> _letters = [];

        public bool Takes(byte letter) => _letters.Contains(letter);

        public void Add(byte letter) => _letters.Add(letter);

        public void See(ReadOnlySpan<byte> argument)
        {
            // ExecStart=redis-cli
            var name = argument[(argument.LastIndexOfAny((byte)'/', (byte)'=') + 1)..];
            if (name.StartsWith("mysql"u8) || name.StartsWith("mariadb"u8) || name.StartsWith("mongo"u8) || name.StartsWith("7z"u8)
                || name.SequenceEqual("sshpass"u8) || name.SequenceEqual("useradd"u8) || name.SequenceEqual("usermod"u8))
                Add((byte)'p');
            else if (name.StartsWith("ldap"u8))
                Add((byte)'w');
            else if (name.SequenceEqual("redis-cli"u8))
                Add((byte)'a');
            else if (name.SequenceEqual("ipmitool"u8) || name.SequenceEqual("zip"u8) || name.SequenceEqual("unzip"u8))
                Add((byte)'P');
        }
    }
}
