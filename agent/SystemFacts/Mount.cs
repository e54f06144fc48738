namespace Telemetry.Agent.SystemFacts;

/// <summary>One line of mountinfo (proc_pid_mountinfo(5)), unescaped.</summary>
/// <param name="Root">What of the filesystem is mounted: <c>/</c>, or a directory of a bind mount.</param>
/// <param name="Options">Of the mount, divided by commas.</param>
/// <param name="FilesystemOptions">Of the filesystem, which other mounts of it share.</param>
internal sealed record Mount(byte[] Root, byte[] Point, byte[] Options, byte[] Type, byte[] Source, byte[] FilesystemOptions)
{
    /// <returns>Null when it is no such line.</returns>
    public static Mount? Parse(ReadOnlySpan<byte> line)
    {
        // What stands behind the dash is found first: a path has its spaces escaped, so this is the first one.
        var dash = line.IndexOf(" - "u8);
        if (dash < 0)
            return null;

        var first = line[..dash];
        for (var i = 0; i < 3; i++)
            Columns.Next(ref first);
        var root = Columns.Next(ref first);
        var point = Columns.Next(ref first);
        var options = Columns.Next(ref first);

        // A source may be empty, and then there are two spaces.
        var second = line[(dash + 3)..];
        var type = Columns.Next(ref second);
        var source = Columns.Next(ref second);
        if (!point.StartsWith("/"u8) || options.IsEmpty || type.IsEmpty || second.IsEmpty)
            return null;
        return new Mount(Unescape(root), Unescape(point), Unescape(options), Unescape(type), Unescape(source), Unescape(second));
    }

    public bool IsAt(ReadOnlySpan<byte> path) => Point.AsSpan().SequenceEqual(path);

    public bool IsBelow(ReadOnlySpan<byte> path) =>
        Point.AsSpan().StartsWith(path) && (path.EndsWith("/"u8) ? Point.Length > path.Length : Point.Length > path.Length + 1 && Point[path.Length] == (byte)'/');

    public bool IsOf(ReadOnlySpan<byte> type) => Type.AsSpan().SequenceEqual(type);

    /// <summary>Space, tab, newline, backslash and number sign come as a backslash and three octal digits.</summary>
    private static byte[] Unescape(ReadOnlySpan<byte> text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == (byte)'\\' && i + 3 < text.Length && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) && IsOctal(text[i + 3]))
            {
                bytes.Add((byte)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.Add(text[i]);
            }
        }

        return [.. bytes];
    }

    private static bool IsOctal(byte digit) => digit is >= (byte)'0' and <= (byte)'7';
}
