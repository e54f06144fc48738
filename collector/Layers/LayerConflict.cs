using Telemetry.Protocol.Model;
using Telemetry.Protocol.Text;

namespace Telemetry.Collector.Layers;

/// <summary>What layers disagree about. The words are what people and programs see.</summary>
internal enum ConflictKind
{
    File,
    Package,
    Setting,
    System,

    /// <summary>Two layers listen on one port.</summary>
    Port,

    /// <summary>Two accounts or groups have one number.</summary>
    Account,
}

/// <summary>Something that two or more layers, or a layer and the base, want differently.</summary>
/// <param name="Key">As people see it; names it in a resolution.</param>
/// <param name="Entry">Null: it is about no entry.</param>
/// <param name="Sides">Two or more; of what no account can be, one.</param>
internal sealed record LayerConflict(ConflictKind Kind, string Key, (EntryKind Kind, EntryKey Key)? Entry, IReadOnlyList<ConflictSide> Sides)
{
    /// <summary>The resolutions that would settle it, for people, such as <c>--resolve /etc/motd=web or =cache</c>.</summary>
    public string Remedy
    {
        get
        {
            var lines = Lines.ToList();
            if (Sides.Count == 1)
                return $"another version of {lines[0]}, for no resolution";
            var all = Kind == ConflictKind.Account && lines.Count > 1 ? $", or ={string.Join('+', lines)} to let them share the number" : "";
            return $"--resolve {Typed(Key)}={string.Join(" or =", lines)}{all}";
        }
    }

    /// <summary>As a shell has to be told it.</summary>
    private static string Typed(string key) =>
        key.All(letter => char.IsAsciiLetterOrDigit(letter) || "/._-+:@%,".Contains(letter)) ? key : $"'{key.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>What there are, for people: how many, and the first of them.</summary>
    /// <param name="conflicts">One at least.</param>
    public static string Summary(IReadOnlyList<LayerConflict> conflicts) =>
        $"{Counted.Of(conflicts.Count, "conflict")}, of {string.Join(" and ", conflicts[0].Sides.Select(side => side.Layer).Distinct())} about {conflicts[0].Key}{(conflicts.Count > 1 ? " first" : "")}";

    /// <summary>Names of the sides, without version: as resolutions name them.</summary>
    public IEnumerable<string> Lines => Sides.Select(side => side.Layer.Split(':')[0]).Distinct();
}

/// <summary>What one of them wants.</summary>
/// <param name="Layer">Name and version of the layer, or of the base.</param>
/// <param name="Entry">The entry as it would have it; null: not there, or not about an entry.</param>
/// <param name="Text">Of what is no entry: such as <c>tcp/80</c>.</param>
internal sealed record ConflictSide(string Layer, string Owner, Fingerprint? Entry, string? Text = null);
