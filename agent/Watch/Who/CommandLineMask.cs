using System.Buffers;
using Telemetry.Agent.Settings;

namespace Telemetry.Agent.Watch.Who;

/// <summary>
/// Takes secrets out of a command line: values of options, variables and parameters with secret names, what well-known programs
/// take as a password (<see cref="ProgramSecrets"/>), what is piped to those that read one, passwords in URLs, headers with
/// credentials, private keys, tokens that show what they are, and long texts that look drawn at random.
/// </summary>
/// <remarks>
/// It masks more than is secret rather than less. Arguments with blanks in them are also read as a shell would read them, so what
/// stands in <c>sh -c '…'</c> is masked like the same words given one by one. Each finding only marks bytes; what is marked by
/// several is masked once.
/// </remarks>
internal static class CommandLineMask
{
    private const int MaxDepth = 6;

    private static readonly SearchValues<byte> UserAndGroup = SearchValues.Create("0123456789:"u8);

    private static ReadOnlySpan<byte> Mask => "***"u8;

    /// <param name="arguments">As the process was given them; the first is its own name.</param>
    /// <returns>As many; those without a secret are the same objects.</returns>
    public static List<byte[]> Of(IReadOnlyList<byte[]> arguments)
    {
        var state = default(MaskState);
        var masked = new List<byte[]>(arguments.Count);
        Span<bool> few = stackalloc bool[Marks.Few];
        foreach (var argument in arguments)
        {
            using var marks = new Marks(argument.Length, few);
            Argument(argument, marks.Bytes, ref state, 0);
            masked.Add(Apply(argument, marks.Bytes));
        }

        return masked;
    }

    /// <summary>
    /// What a program says, with the secrets taken out of it: people's words, in which a name before a blank promises nothing and a
    /// value ends with its word.
    /// </summary>
    public static byte[] OfMessage(byte[] text)
    {
        using var marks = new Marks(text.Length, stackalloc bool[Marks.Few]);
        var state = new MaskState { IsText = true };
        PrivateKeys(text, marks.Bytes, ref state);
        MaskedText.Assignments(text, marks.Bytes, valuesAreWords: true);
        Argument(text, marks.Bytes, ref state, 0);
        return Apply(text, marks.Bytes);
    }

    /// <summary>
    /// Whether a line of a file, such as a job or a unit has, gives a secret to the program it starts, by an option, a place, a pipe or
    /// in a URL. Assignments and private keys are found in the whole file.
    /// </summary>
    public static bool FindsIn(ReadOnlySpan<byte> line)
    {
        using var marks = new Marks(line.Length, stackalloc bool[Marks.Few]);
        var state = new MaskState { IsText = true };
        Argument(line, marks.Bytes, ref state, 0);
        return marks.Bytes.Contains(true);
    }

    /// <summary>An argument, or a word of one that is a script.</summary>
    private static void Argument(ReadOnlySpan<byte> text, Span<bool> marks, ref MaskState state, int depth)
    {
        var awaited = state.Take(text);
        var isScript = state.IsScript;
        if (!state.IsText)
            PrivateKeys(text, marks, ref state);
        if (awaited is Awaited.Secret or Awaited.SecretUnlessPlain || depth > MaxDepth)
            marks.Fill(true);
        else if (awaited == Awaited.UserAndPassword)
            AfterUser(text, marks);

        MaskedText.Urls(text, marks);
        TokenText.Find(text, marks);
        if (!state.IsText)
            RandomText.Find(text, marks);
        if (state.Attached(text) is var attached and > 0)
            marks[attached..].Fill(true);
        if (state.IsPair(text))
            marks[(text.IndexOf((byte)'=') + 1)..].Fill(true);

        // Of a script a value ends with its word, of any other argument with the argument.
        var bare = ShellWords.Unquoted(text, out var start);
        var hasWords = start > 0 || bare.ContainsAny(ShellWords.Dividers);
        if (!state.IsText && (!isScript || !hasWords))
            MaskedText.Assignments(text, marks);
        if (hasWords && depth <= MaxDepth)
            Words(bare, marks.Slice(start, bare.Length), state.Inner(), depth + 1);
        state.Await(bare, awaited);
    }

    private static void Words(ReadOnlySpan<byte> text, Span<bool> marks, MaskState state, int depth)
    {
        var pipe = default(PipedText);
        var isOneWord = ShellWords.IsOne(text);
        for (var (position, end) = (0, 0); ShellWords.Next(text, ref position, out var start, isOneWord); end = position)
        {
            if (end > 0 && text[end..start].IndexOfAny(";|&\n"u8) >= 0)
            {
                state.NextCommand();
                pipe.NextCommand(text[end..start]);
            }

            Argument(text[start..position], marks[start..position], ref state, depth);
            pipe.See(text, start, position);
            if (state.ReadsSecret && pipe.Secret is { } secret)
                marks[secret].Fill(true);
        }
    }

    /// <summary><c>user:password</c>, and <c>user%password</c> of Samba's programs.</summary>
    private static void AfterUser(ReadOnlySpan<byte> text, Span<bool> marks)
    {
        // docker run -u 1000:1000
        var end = text.IndexOfAny((byte)':', (byte)'%');
        if (end >= 0 && text.IndexOfAnyExcept(UserAndGroup) >= 0)
            marks[(end + 1)..].Fill(true);
    }

    /// <summary>PEM (RFC 7468), whose lines may have become words. What is public of it is masked with the rest.</summary>
    private static void PrivateKeys(ReadOnlySpan<byte> text, Span<bool> marks, ref MaskState state)
    {
        for (var position = 0; position < text.Length;)
        {
            if (!state.IsInsideKey)
            {
                var begin = text[position..].IndexOf("-----BEGIN"u8);
                if (begin < 0)
                    return;
                position += begin;
                state.IsInsideKey = true;
            }

            var end = text[position..].IndexOf("-----END"u8);
            var length = end < 0 ? text.Length - position : end + "-----END"u8.Length;
            marks.Slice(position, length).Fill(true);
            position += length;
            state.IsInsideKey = end < 0;
        }
    }

    private static byte[] Apply(byte[] text, ReadOnlySpan<bool> marks)
    {
        if (!marks.Contains(true))
            return text;

        var output = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (!marks[i])
                output.Add(text[i]);
            else if (i == 0 || !marks[i - 1])
                output.AddRange(Mask);
        }

        return [.. output];
    }

    /// <summary>One for each byte of a text, on the stack where there are few.</summary>
    private readonly ref struct Marks
    {
        public const int Few = 512;

        private readonly bool[]? _rented;

        public Marks(int length, Span<bool> few)
        {
            _rented = length > few.Length ? ArrayPool<bool>.Shared.Rent(length) : null;
            Bytes = (_rented ?? few)[..length];
            Bytes.Clear();
        }

        public Span<bool> Bytes { get; }

        public void Dispose()
        {
            if (_rented is not null)
                ArrayPool<bool>.Shared.Return(_rented);
        }
    }
}
