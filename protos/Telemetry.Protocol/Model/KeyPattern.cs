using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>
/// Keys as a policy names them: a key in its human form, in which <c>*</c> stands for any bytes but a slash, <c>?</c> for one
/// such byte, and <c>**</c> for anything; as a whole component of a file's key for any number of components. Matches the keys
/// that look like it and everything below them.
/// </summary>
/// <remarks>A star or question mark itself is written <c>\x2a</c> or <c>\x3f</c>.</remarks>
public sealed class KeyPattern : IEquatable<KeyPattern>
{
    // 0xff and 0xfe occur in no UTF-8 text; a name that holds them is matched by a star.
    private const byte Star = 0xff, Any = 0xfe;
    private const string StarEscape = @"\xff", AnyEscape = @"\xfe";

    // Matching is recursive in the number of double stars.
    private const int MaxDoubleStars = 4;

    private readonly Glob[] _components;

    private KeyPattern(EntryKind kind, string text, Glob[] components)
    {
        Kind = kind;
        Text = text;
        _components = components;
        Literal = components.TakeWhile(component => component.Literal is not null)
            .Aggregate(EntryKey.Root, (key, component) => key.Child(component.Literal));
    }

    public EntryKind Kind { get; }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>The leading components without wildcards: every matching key lies at or below.</summary>
    public EntryKey Literal { get; }

    /// <exception cref="FormatException">Not a pattern; the message says why.</exception>
    public static KeyPattern Parse(string text)
    {
        var (kind, key) = KeyText.Parse(text.Replace("*", StarEscape, StringComparison.Ordinal).Replace("?", AnyEscape, StringComparison.Ordinal));
        var components = key.IsRoot ? [] : Split(key.Bytes).Select(Glob.Of).ToArray();
        if (components.Sum(component => component.DoubleStars) > MaxDoubleStars)
            throw new FormatException($"'{text}' has more than {MaxDoubleStars} double stars.");
        if (Array.Exists(components, component => component.IsEmpty))
            throw new FormatException($"'{text}' has an empty component.");
        return new KeyPattern(kind, text, components);
    }

    public bool Matches(EntryKind kind, ReadOnlySpan<byte> key) =>
        kind == Kind && EntryKey.IsUnder(key, Literal.Bytes) && Matches(_components, key);

    public bool Equals(KeyPattern? other) => other?.Text == Text;

    public override bool Equals(object? obj) => Equals(obj as KeyPattern);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    private static bool Matches(ReadOnlySpan<Glob> components, ReadOnlySpan<byte> key)
    {
        while (!components.IsEmpty)
        {
            if (components[0].IsAnyDepth)
                return MatchesAtAnyDepth(components[1..], key);
            if (key.IsEmpty || !components[0].Matches(TakeComponent(ref key)))
                return false;
            components = components[1..];
        }

        return true;
    }

    private static bool MatchesAtAnyDepth(ReadOnlySpan<Glob> rest, ReadOnlySpan<byte> key)
    {
        while (!Matches(rest, key))
        {
            if (key.IsEmpty)
                return false;
            TakeComponent(ref key);
        }

        return true;
    }

    private static ReadOnlySpan<byte> TakeComponent(ref ReadOnlySpan<byte> key)
    {
        var end = key.IndexOf(EntryKey.Separator);
        var component = end < 0 ? key : key[..end];
        key = end < 0 ? [] : key[(end + 1)..];
        return component;
    }

    private static List<byte[]> Split(ReadOnlySpan<byte> key)
    {
        var components = new List<byte[]>();
        while (true)
        {
            var end = key.IndexOf(EntryKey.Separator);
            components.Add((end < 0 ? key : key[..end]).ToArray());
            if (end < 0)
                return components;
            key = key[(end + 1)..];
        }
    }

    /// <summary>One component of a pattern.</summary>
    private sealed class Glob(byte[] bytes)
    {
        /// <summary>The bytes themselves when there is no wildcard in them.</summary>
        public byte[]? Literal { get; } = bytes.AsSpan().ContainsAny(Star, Any) ? null : bytes;

        public bool IsEmpty => bytes.Length == 0;

        public bool IsAnyDepth { get; } = bytes is [Star, Star];

        public int DoubleStars { get; } = Encoding.Latin1.GetString(bytes).Split("\xff\xff").Length - 1;

        public static Glob Of(byte[] bytes) => new(bytes);

        public bool Matches(ReadOnlySpan<byte> text) =>
            Literal is not null ? text.SequenceEqual(Literal) : Matches(bytes, text);

        /// <summary>A single star is tried greedily, with a way back to the last one only; a double star recursively.</summary>
        private static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
        {
            var (star, retry) = (-1, 0);
            var (at, position) = (0, 0);
            while (true)
            {
                if (at < pattern.Length && pattern[at] == Star)
                {
                    if (at + 1 < pattern.Length && pattern[at + 1] == Star)
                        return MatchesAnywhere(pattern[(at + 2)..], text[position..]);
                    star = at++;
                    retry = position;
                }
                else if (position == text.Length && at == pattern.Length)
                {
                    return true;
                }
                else if (position < text.Length && at < pattern.Length && IsOne(pattern[at], text[position]))
                {
                    at++;
                    position++;
                }
                else if (star >= 0 && retry < text.Length && text[retry] != '/')
                {
                    at = star + 1;
                    position = ++retry;
                }
                else
                {
                    return false;
                }
            }
        }

        private static bool MatchesAnywhere(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
        {
            for (var start = 0; start <= text.Length; start++)
            {
                if (Matches(pattern, text[start..]))
                    return true;
            }

            return false;
        }

        private static bool IsOne(byte pattern, byte text) => pattern == text || (pattern == Any && text != '/');
    }
}
