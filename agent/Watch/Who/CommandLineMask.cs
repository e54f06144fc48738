namespace Telemetry.Agent.Watch.Who;

/// <summary>
/// Takes secrets out of a command line: values of options, variables and parameters with secret names, what well-known programs
/// take as a password, passwords in URLs, headers with credentials, private keys, and long texts that look drawn at random.
/// </summary>
/// <remarks>
/// It masks more than is secret rather than less. Arguments with blanks in them are also read as a shell would read them, so what
/// stands in <c>sh -c '…'</c> is masked like the same words given one by one. Each finding only marks bytes; what is marked by
/// several is masked once.
/// </remarks>
internal static class CommandLineMask
{
    private const int MaxDepth = 6;

    private static ReadOnlySpan<byte> Mask => "***"u8;

    /// <param name="arguments">As the process was given them; the first is its own name.</param>
    public static List<byte[]> Of(IReadOnlyList<byte[]> arguments)
    {
        var state = new MaskState();
        var masked = new List<byte[]>(arguments.Count);
        foreach (var argument in arguments)
        {
            var marks = new bool[argument.Length];
            Argument(argument, marks, state, 0);
            masked.Add(Apply(argument, marks));
        }

        return masked;
    }

    /// <summary>
    /// Whether a line of a file, such as a job or a unit has, gives a secret to the program it starts, by an option or in a URL.
    /// Assignments and private keys are found in the whole file.
    /// </summary>
    public static bool FindsIn(ReadOnlySpan<byte> line)
    {
        var marks = new bool[line.Length];
        Argument(line, marks, new MaskState { IsText = true }, 0);
        return marks.AsSpan().Contains(true);
    }

    /// <summary>An argument, or a word of one that is a script.</summary>
    private static void Argument(ReadOnlySpan<byte> text, Span<bool> marks, MaskState state, int depth)
    {
        var awaited = state.Take(text);
        var isScript = state.IsScript;
        if (!state.IsText)
            PrivateKeys(text, marks, state);
        if (awaited == Awaited.Secret || depth > MaxDepth)
            marks.Fill(true);
        else if (awaited == Awaited.UserAndPassword)
            AfterUser(text, marks);

        MaskedText.Urls(text, marks);
        if (!state.IsText)
            RandomText.Find(text, marks);
        if (state.Attached(text) is var attached and > 0)
            marks[attached..].Fill(true);

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
        for (var position = 0; ShellWords.Next(text, ref position, out var start);)
            Argument(text[start..position], marks[start..position], state, depth);
    }

    /// <summary><c>user:password</c>, and <c>user%password</c> of Samba's programs.</summary>
    private static void AfterUser(ReadOnlySpan<byte> text, Span<bool> marks)
    {
        var end = text.IndexOfAny((byte)':', (byte)'%');
        if (end >= 0)
            marks[(end + 1)..].Fill(true);
    }

    /// <summary>PEM (RFC 7468), whose lines may have become words. What is public of it is masked with the rest.</summary>
    private static void PrivateKeys(ReadOnlySpan<byte> text, Span<bool> marks, MaskState state)
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

    private static byte[] Apply(ReadOnlySpan<byte> text, ReadOnlySpan<bool> marks)
    {
        if (!marks.Contains(true))
            return text.ToArray();

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
}
