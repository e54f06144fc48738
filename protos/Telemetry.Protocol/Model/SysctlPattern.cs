using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>
/// Names of kernel parameters as sysctl(8) takes them, in which a star stands for anything within one part:
/// <c>net.ipv4.conf.*.rp_filter</c>. With dots or with slashes; where dots divide, a slash is a dot of a name
/// (<c>net.ipv4.conf.eth0/100.rp_filter</c>).
/// </summary>
public sealed class SysctlPattern : IEquatable<SysctlPattern>
{
    private readonly byte[][] _parts;

    private SysctlPattern(string text)
    {
        Text = text;

        // Where a name begins with a slash as its first divider, dots are parts of names; else the two change places.
        var first = text.AsSpan().IndexOfAny('.', '/');
        var parts = first >= 0 && text[first] == '/'
            ? text.Split('/', StringSplitOptions.RemoveEmptyEntries)
            : [.. text.Split('.', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Replace('/', '.'))];
        _parts = [.. parts.Select(Encoding.UTF8.GetBytes)];
        foreach (var part in _parts)
            part.AsSpan().Replace((byte)'*', Glob.Star);
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>How many directories and a file below <c>/proc/sys</c> it names.</summary>
    public int Length => _parts.Length;

    /// <exception cref="FormatException">It names nothing.</exception>
    public static SysctlPattern Parse(string text) =>
        new SysctlPattern(text) is { Length: > 0 } pattern
            ? pattern
            : throw new FormatException($"'{EscapedText.Of(Encoding.UTF8.GetBytes(text))}' is no name of a kernel parameter.");

    /// <summary>The name of one of the directories, or of the file; null when it has a star.</summary>
    public byte[]? Literal(int part) => _parts[part].Contains(Glob.Star) ? null : _parts[part];

    /// <param name="name">Of a directory or file below <c>/proc/sys</c>, as it is there.</param>
    public bool Matches(int part, ReadOnlySpan<byte> name) => Glob.Matches(_parts[part], name);

    /// <param name="name">All of it, as its key has it: divided by dots, a dot of a name as a slash.</param>
    public bool Matches(ReadOnlySpan<byte> name)
    {
        var part = 0;
        foreach (var range in name.Split((byte)'.'))
        {
            var onDisk = name[range].ToArray();
            onDisk.AsSpan().Replace((byte)'/', (byte)'.');
            if (part == _parts.Length || !Matches(part++, onDisk))
                return false;
        }

        return part == _parts.Length;
    }

    public bool Equals(SysctlPattern? other) => other?.Text == Text;

    public override bool Equals(object? obj) => Equals(obj as SysctlPattern);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;
}
