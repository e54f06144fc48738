using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>
/// Keys as people see and type them: <c>/etc/ssh/sshd_config</c>, <c>package:dpkg/apache2:amd64</c>,
/// <c>setting:/etc/ssh/sshd_config#PermitRootLogin</c>, <c>system:module/nf_tables</c>. Formatting and parsing are inverse.
/// </summary>
public static class KeyText
{
    public static string Format(EntryKind kind, ReadOnlySpan<byte> key)
    {
        var text = new StringBuilder(key.Length + 16);
        text.Append(Prefix(kind));

        for (var index = 0; ; index++)
        {
            if (index > 0)
                text.Append(SeparatorBefore(kind, index));

            var end = key.IndexOf(EntryKey.Separator);
            EscapedText.Append(text, end < 0 ? key : key[..end], Escaped(kind, index));
            if (end < 0)
                return text.ToString();

            key = key[(end + 1)..];
        }
    }

    /// <summary>Whether a text begins as keys do.</summary>
    public static bool IsKey(string text) => EntryKinds.All.Any(kind => text.StartsWith(Prefix(kind), StringComparison.Ordinal));

    /// <exception cref="FormatException">Not a key; the message says what one looks like.</exception>
    public static (EntryKind Kind, EntryKey Key) Parse(string text)
    {
        foreach (var kind in EntryKinds.All)
        {
            if (text.StartsWith(Prefix(kind), StringComparison.Ordinal))
                return (kind, ParseComponents(kind, text.AsSpan(Prefix(kind).Length)));
        }

        throw new FormatException(
            $"'{EscapedText.Of(Encoding.UTF8.GetBytes(text))}' is not a key. Keys look like /etc/passwd, package:dpkg/bash:amd64, setting:/etc/hosts#127.0.0.1 or system:module/nf_tables.");
    }

    private static EntryKey ParseComponents(EntryKind kind, ReadOnlySpan<char> text)
    {
        var bytes = new List<byte>(text.Length);
        for (var index = 0; ; index++)
        {
            var end = text.IndexOf(SeparatorBefore(kind, index + 1));
            bytes.AddRange(EscapedText.Parse(end < 0 ? text : text[..end]));
            if (end < 0)
                return new EntryKey([.. bytes]);

            bytes.Add(EntryKey.Separator);
            text = text[(end + 1)..];
        }
    }

    private static string Prefix(EntryKind kind) => kind switch
    {
        EntryKind.File => "/",
        EntryKind.Setting => "setting:/",
        _ => kind.Name() + ":",
    };

    // A setting's first component is the path of its file, slashes included.
    private static char SeparatorBefore(EntryKind kind, int index) => (kind, index) switch
    {
        (EntryKind.Package, > 1) => ':',
        (EntryKind.Setting, 1) => '#',
        _ => '/',
    };

    private static string Escaped(EntryKind kind, int index) => (kind, index) switch
    {
        (EntryKind.Package, _) => "/:",
        (EntryKind.Setting, 0) => "#",
        (EntryKind.Setting, _) => "/#",
        _ => "/",
    };
}
