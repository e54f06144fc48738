using System.Text;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

/// <summary>What mtree(8) and getfattr(1) say of a tree: a line of attributes for each path, the path as bytes in Latin-1.</summary>
internal static class MtreeOracle
{
    private const string Keywords = "type,mode,uid,gid,size,sha256,link";
    private const string Attributes = @"^(security\.(capability|selinux)|system\.posix_acl_(access|default))$";

    public static IReadOnlyDictionary<string, string> Of(string root)
    {
        var tree = new Dictionary<string, string>(StringComparer.Ordinal);
        Read(Shell.Run("/", $"mtree -c -k {Keywords} -p '{root}'"), tree);

        var path = "";
        foreach (var line in Lines(Shell.Run(root, $"getfattr -R -h -P -d -m '{Attributes}' -e hex . 2> /dev/null")))
        {
            if (line.StartsWith("# file: ", StringComparison.Ordinal))
                path = "./" + Decoded(line["# file: ".Length..]);
            else
                tree[path] += " " + line;
        }

        return tree;
    }

    public static IReadOnlySet<string> Changed(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) =>
        before.Keys.Union(after.Keys).Where(path => before.GetValueOrDefault(path) != after.GetValueOrDefault(path)).ToHashSet(StringComparer.Ordinal);

    /// <summary>mtree(5): entries below each other, <c>..</c> goes up, <c>/set</c> gives what entries leave out.</summary>
    private static void Read(string specification, Dictionary<string, string> tree)
    {
        var path = new List<string>();
        var defaults = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Lines(specification.Replace("\\\n", " ", StringComparison.Ordinal)).Where(line => line[0] != '#'))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var values = parts.Skip(1).Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal);
            if (parts[0] == "..")
            {
                path.RemoveAt(path.Count - 1);
                continue;
            }

            var attributes = new SortedDictionary<string, string>(defaults, StringComparer.Ordinal);
            foreach (var (name, value) in values)
                attributes[name] = value;
            if (parts[0] == "/set")
            {
                defaults = attributes;
                continue;
            }

            path.Add(Decoded(parts[0]));
            tree[string.Join('/', path)] = string.Join(' ', attributes);
            if (attributes["type"] != "dir")
                path.RemoveAt(path.Count - 1);
        }
    }

    private static IEnumerable<string> Lines(string text) => text.Split('\n').Where(line => line.Length > 0);

    /// <summary>vis(3) in the style of C and octal numbers, which getfattr's form is a part of.</summary>
    private static string Decoded(string text)
    {
        var decoded = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                decoded.Append(text[i]);
            }
            else if (text[i + 1] == 'M')
            {
                // The eighth bit: \M-c, or \M^c for a control character.
                var low = text[i + 2] == '-' ? text[i + 3] : text[i + 3] == '?' ? 0x7f : text[i + 3] & 0x1f;
                decoded.Append((char)(low | 0x80));
                i += 3;
            }
            else if (text[i + 1] == '^')
            {
                decoded.Append((char)(text[i + 2] == '?' ? 0x7f : text[i + 2] & 0x1f));
                i += 2;
            }
            else if (char.IsAsciiDigit(text[i + 1]) && i + 3 < text.Length && char.IsAsciiDigit(text[i + 2]) && char.IsAsciiDigit(text[i + 3]))
            {
                decoded.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                decoded.Append("nrbavtsf0E\\#=*?[".IndexOf(text[i + 1], StringComparison.Ordinal) is var at and >= 0
                    ? "\n\r\b\a\v\t \f\0\x1b\\#=*?["[at]
                    : text[i + 1]);
                i++;
            }
        }

        return decoded.ToString();
    }
}
