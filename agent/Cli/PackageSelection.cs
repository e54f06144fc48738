using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Cli;

/// <summary>Packages as a person names them: <c>apache2</c>, <c>libc6:amd64</c>, or a key such as <c>package:dpkg/apache2:amd64</c>. None named: all.</summary>
internal sealed class PackageSelection(IReadOnlyList<string> names)
{
    private readonly HashSet<string> _unknown = [.. names];

    /// <summary>What was named and matched no package so far.</summary>
    public IEnumerable<string> Unknown => _unknown;

    public bool Matches(EntryKey package)
    {
        var matches = names.Count == 0;
        foreach (var name in names)
        {
            if (!Matches(package.Bytes, name))
                continue;
            _unknown.Remove(name);
            matches = true;
        }

        return matches;
    }

    private static bool Matches(ReadOnlySpan<byte> package, string name)
    {
        var key = name.StartsWith("package:", StringComparison.Ordinal) ? name : KeyText.Format(EntryKind.Package, package[..package.IndexOf(EntryKey.Separator)]) + "/" + name;
        return TryParse(key) is { } prefix && EntryKey.IsUnder(package, prefix.Bytes);
    }

    private static EntryKey? TryParse(string text)
    {
        try
        {
            var (kind, key) = KeyText.Parse(text);
            return kind == EntryKind.Package ? key : null;
        }
        catch (FormatException e)
        {
            throw new UsageException($"'{EscapedText.Of(Encoding.UTF8.GetBytes(text))}' names no package. {e.Message}");
        }
    }
}
