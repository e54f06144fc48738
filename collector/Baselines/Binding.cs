using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Baselines;

/// <summary>How a binding picks instances. In rising order of precedence.</summary>
internal enum Selector
{
    Tag,
    Image,
    Instance,
}

/// <summary>Says which line judges the instances that a selector picks.</summary>
/// <param name="Value">An instance id, an image id, or <c>key=value</c>.</param>
/// <param name="Line">Name of the baseline line.</param>
internal sealed record Binding(Selector Selector, string Value, string Line)
{
    public bool Picks(Instance instance) => Selector switch
    {
        Selector.Instance => instance.Id == Value,
        Selector.Image => instance.Image.Length > 0 && instance.Image == Value,
        _ => instance.Tags.Any(tag => $"{tag.Key}={tag.Value}" == Value),
    };

    public override string ToString() => $"{Selector.ToString().ToLowerInvariant()} {Value}";

    /// <summary>The line that judges an instance. Instance wins over image, image over tag.</summary>
    public static BoundLine LineOf(Instance instance, IEnumerable<Binding> bindings)
    {
        var strongest = bindings
            .Where(binding => binding.Picks(instance))
            .GroupBy(binding => binding.Selector)
            .MaxBy(rank => rank.Key);
        if (strongest is null)
            return new BoundLine(null, null);

        var lines = strongest.Select(binding => binding.Line).Distinct().Order(StringComparer.Ordinal).ToList();
        return lines.Count == 1
            ? new BoundLine(lines[0], null)
            : new BoundLine(null, $"Instance {instance.Id} is bound by {strongest.Key.ToString().ToLowerInvariant()} to {string.Join(" and ", lines)} at once; bind it by its id, which wins.");
    }
}

/// <summary>The line an instance is judged by: none, one, or a tie of bindings of one rank, explained for people.</summary>
internal readonly record struct BoundLine(string? Line, string? Tie);
