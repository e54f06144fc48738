using Telemetry.Collector.Compare;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Layers;

/// <summary>How severe owners of layers say it is when something differs: each of what is its own, and of nothing else. Pure: it reads nodes.</summary>
internal static class LayerSeverities
{
    /// <summary>The findings, each with what its layer's owner says of it.</summary>
    public static IReadOnlyList<Finding> Say(IReadOnlyList<Finding> findings, IReadOnlyList<Layer> layers, Attribution attribution)
    {
        var saying = layers.Where(layer => !layer.File.Severities.IsEmpty).ToDictionary(layer => layer.Name.ToString());
        return saying.Count == 0 ? findings : [.. findings.Select(Say)];

        Finding Say(Finding finding) =>
            saying.Values.Any(layer => SeverityOf(layer, finding) is not null) && saying.TryGetValue(attribution.Of(finding.Kind, finding.Key).Layer, out var owning)
                ? finding with { Said = SeverityOf(owning, finding) }
                : finding;
    }

    private static Severity? SeverityOf(Layer layer, Finding finding) =>
        layer.File.Severities.FirstOrDefault(said => said.Match.Any(pattern => pattern.Matches(finding.Kind, finding.Key.Bytes)))?.Severity;
}
