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
    // The bytes of Glob, as a key's human form writes them.
    private const string StarEscape = @"\xff", AnyEscape = @"\xfe";

    // More than any real pattern has.
    private const int MaxDoubleStars = 4;

    private readonly Component[] _components;

    private KeyPattern(EntryKind kind, string text, Component[] components)
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

    /// <summary>Of the component behind <see cref="Literal"/>, what stands before its first wildcard.</summary>
    internal ReadOnlySpan<byte> Head => Array.Find(_components, component => component.Literal is null) is { } wild ? wild.Head : [];

    /// <summary>Of a pattern that begins at any depth, the component it begins with: every matching key has it. Else null.</summary>
    internal byte[]? Anywhere => _components is [{ IsAnyDepth: true }, { Literal: { } component }, ..] ? component : null;

    /// <exception cref="FormatException">Not a pattern; the message says why.</exception>
    public static KeyPattern Parse(string text)
    {
        if (!KeyText.IsKey(text))
            throw new FormatException($"'{Shown(text)}' is not a pattern. Patterns look like /etc/ssh/*, package:dpkg/*, setting:/etc/hosts#* or system:module/*.");
        var (kind, key) = KeyText.Parse(text.Replace("*", StarEscape, StringComparison.Ordinal).Replace("?", AnyEscape, StringComparison.Ordinal));
        var components = key.IsRoot ? [] : Split(key.Bytes).Select(bytes => new Component(bytes)).ToArray();
        if (components.Sum(component => component.DoubleStars) > MaxDoubleStars)
            throw new FormatException($"'{Shown(text)}' has more than {MaxDoubleStars} double stars.");
        if (Array.Exists(components, component => component.IsEmpty))
            throw new FormatException($"'{Shown(text)}' has an empty component.");
        return new KeyPattern(kind, text, components);
    }

    public bool Matches(EntryKind kind, ReadOnlySpan<byte> key) =>
        kind == Kind && EntryKey.IsUnder(key, Literal.Bytes) && Matches(_components, key);

    public bool Equals(KeyPattern? other) => other?.Text == Text;

    public override bool Equals(object? obj) => Equals(obj as KeyPattern);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    /// <summary>
    /// Goes back to the last <c>**</c> only: what came before it was matched as early as it can be, and later is never better.
    /// </summary>
    private static bool Matches(ReadOnlySpan<Component> components, ReadOnlySpan<byte> key)
    {
        var afterAnyDepth = -1;
        ReadOnlySpan<byte> left = default;
        for (var at = 0; at < components.Length;)
        {
            if (components[at].IsAnyDepth)
            {
                afterAnyDepth = ++at;
                left = key;
                continue;
            }

            if (!key.IsEmpty && components[at].Matches(TakeComponent(ref key)))
            {
                at++;
                continue;
            }

            if (afterAnyDepth < 0 || left.IsEmpty)
                return false;
            TakeComponent(ref left);
            key = left;
            at = afterAnyDepth;
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

    private static string Shown(string text) => EscapedText.Of(Encoding.UTF8.GetBytes(text));

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
    private sealed class Component(byte[] bytes)
    {
        /// <summary>The bytes themselves when there is no wildcard in them.</summary>
        public byte[]? Literal { get; } = bytes.AsSpan().ContainsAny(Glob.Star, Glob.Any) ? null : bytes;

        public ReadOnlySpan<byte> Head => bytes.AsSpan(0, Math.Max(bytes.AsSpan().IndexOfAny(Glob.Star, Glob.Any), 0));

        public bool IsEmpty => bytes.Length == 0;

        public bool IsAnyDepth { get; } = bytes is [Glob.Star, Glob.Star];

        public int DoubleStars { get; } = Encoding.Latin1.GetString(bytes).Split("\xff\xff").Length - 1;

        public bool Matches(ReadOnlySpan<byte> text) => Literal is not null ? text.SequenceEqual(Literal) : Glob.Matches(bytes, text);
    }
}
