using System.Text;

namespace Telemetry.Agent.Watch.Who;

/// <summary>Which lines of <see cref="ProgramSecrets"/> hold for the rest of a command, by the words it had so far.</summary>
/// <remarks>A value: a copy is what the words inside a quotation begin with. It allocates nothing.</remarks>
internal struct SeenPrograms
{
    // Of commands that name programs rather than run them: no argument is a secret by its place alone.
    private static readonly byte[][] Speakers = Words(
        "apt apt-get apt-cache aptitude dpkg dpkg-query yum dnf rpm zypper apk pacman snap brew pip pip3 man info apropos which whereis type grep egrep zgrep rg "
        + "ls cat less more tail head wc cp mv rm ln mkdir chmod chown vi vim nano stat touch file systemctl journalctl service killall pkill pgrep git make tee sort");

    private static readonly byte[][] Wrappers = Words("sudo doas env nohup nice ionice time exec command stdbuf setsid");

    private static readonly Line[] Lines = [.. ProgramSecrets.All.Select(secrets => new Line(secrets))];

    // By the first letter of a program's name: almost every word of a command is none.
    private static readonly (byte[] Name, bool IsPrefix, int Line)[][] ByLetter = Index();

    private UInt128 _named, _active;
    private int _left;
    private bool _hasMain, _speaks;

    /// <summary>Whether the command reads a secret from its standard input.</summary>
    public bool ReadsSecret { get; private set; }

    /// <summary>Whether the command takes pairs whose values are secrets.</summary>
    public bool HasPairs { get; private set; }

    /// <summary>Whether a word is a program of the table by its whole name.</summary>
    public static bool IsProgram(ReadOnlySpan<byte> word)
    {
        if (word.IsEmpty)
            return false;
        foreach (var program in ByLetter[word[0]])
        {
            if (!program.IsPrefix && word.SequenceEqual(program.Name))
                return true;
        }

        return false;
    }

    /// <summary>Counts an argument that is no option.</summary>
    /// <returns>Whether it is a secret by its place.</returns>
    public bool TakesArgument()
    {
        if (_left > 1)
            _left--;
        else if (_left == 1)
            return true;
        return false;
    }

    /// <summary>Whether the argument behind this one is a secret.</summary>
    public readonly bool TakesNext(ReadOnlySpan<byte> argument)
    {
        for (var rest = _active; rest != 0; rest &= rest - 1)
        {
            var line = Lines[(int)UInt128.TrailingZeroCount(rest)];
            if (IsOneOf(argument, line.Options) || IsOneOf(argument, line.Words))
                return true;
        }

        return false;
    }

    /// <summary>Where a secret begins in an argument such as <c>-psecret</c>, or 0.</summary>
    public readonly int Attached(ReadOnlySpan<byte> argument)
    {
        for (var rest = _active; rest != 0; rest &= rest - 1)
        {
            var line = Lines[(int)UInt128.TrailingZeroCount(rest)];
            foreach (var option in line.Options)
            {
                if (argument.Length > option.Length && argument.StartsWith(option))
                    return option.Length;
            }

            foreach (var word in line.Words)
            {
                if (argument.Length > word.Length + 1 && argument[word.Length] == (byte)'=' && argument.StartsWith(word))
                    return word.Length + 1;
            }
        }

        return 0;
    }

    /// <param name="isText">A line of a file: what stands before the command is part of it.</param>
    public void See(ReadOnlySpan<byte> argument, bool isText)
    {
        // ExecStart=redis-cli
        var name = argument[(argument.LastIndexOfAny((byte)'/', (byte)'=', (byte)'(') + 1)..];
        for (var rest = _named; rest != 0; rest &= rest - 1)
            SeeWord((int)UInt128.TrailingZeroCount(rest), argument);
        if (name.IsEmpty)
            return;

        if (!_hasMain || isText)
            _speaks |= IsOneOf(name, Speakers);
        _hasMain |= argument[0] != (byte)'-' && !argument.Contains((byte)'=') && !IsOneOf(name, Wrappers);
        foreach (var program in ByLetter[name[0]])
        {
            if (!(program.IsPrefix ? name.StartsWith(program.Name) : name.SequenceEqual(program.Name)))
                continue;
            _named |= UInt128.One << program.Line;
            if (Lines[program.Line].Verbs.Length == 0)
                Activate(program.Line);
        }
    }

    private void SeeWord(int number, ReadOnlySpan<byte> argument)
    {
        var line = Lines[number];
        if ((_active & (UInt128.One << number)) == 0 && HasFlag(argument, line.Verbs))
            Activate(number);
        ReadsSecret |= !_speaks && (_active & (UInt128.One << number)) != 0 && HasFlag(argument, line.Reads);
    }

    private void Activate(int number)
    {
        var line = Lines[number];
        _active |= UInt128.One << number;
        HasPairs |= line.HasPairs;
        ReadsSecret |= line.AlwaysReads && !_speaks;
        if (line.From > 0 && !_speaks)
            _left = _left == 0 ? line.From : Math.Min(_left, line.From);
    }

    /// <summary>Whether an argument is one of these words; one letter behind a dash is also found among others.</summary>
    private static bool HasFlag(ReadOnlySpan<byte> argument, byte[][] words)
    {
        foreach (var word in words)
        {
            if (argument.SequenceEqual(word))
                return true;
            if (word is [(byte)'-', not (byte)'-'] && argument is [(byte)'-', not (byte)'-', ..] && argument.Length <= 6 && argument.Contains(word[1]))
                return true;
        }

        return false;
    }

    private static bool IsOneOf(ReadOnlySpan<byte> text, byte[][] words)
    {
        foreach (var word in words)
        {
            if (text.SequenceEqual(word))
                return true;
        }

        return false;
    }

    private static byte[][] Words(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.ASCII.GetBytes)];

    private static (byte[] Name, bool IsPrefix, int Line)[][] Index()
    {
        var byLetter = new List<(byte[], bool, int)>[256];
        for (var line = 0; line < ProgramSecrets.All.Length; line++)
        {
            foreach (var name in Words(ProgramSecrets.All[line].Names))
            {
                var isPrefix = name[^1] == (byte)'*';
                (byLetter[name[0]] ??= []).Add((isPrefix ? name[..^1] : name, isPrefix, line));
            }
        }

        return [.. byLetter.Select(programs => programs is null ? [] : programs.ToArray())];
    }

    /// <summary>A line of the table with its texts divided.</summary>
    private sealed class Line(ProgramSecrets secrets)
    {
        public byte[][] Options { get; } = SeenPrograms.Words(secrets.Options);

        public byte[][] Words { get; } = SeenPrograms.Words(secrets.Words);

        public byte[][] Verbs { get; } = SeenPrograms.Words(secrets.Verbs);

        public byte[][] Reads { get; } = SeenPrograms.Words(secrets.Reads);

        public bool AlwaysReads { get; } = secrets.Reads == "*";

        public int From { get; } = secrets.From;

        public bool HasPairs { get; } = secrets.HasPairs;
    }
}
