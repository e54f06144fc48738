using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Deviations;

/// <summary>Of what deviations are wanted. What there is not is a mistake to tell: nobody must take its silence for peace.</summary>
internal sealed partial class DeviationGrpcService
{
    /// <returns>The id; null when none is asked for.</returns>
    private static string? InstanceOf(StoreTransaction transaction, string text) => text.Length == 0 ? null : InstanceName.Find(transaction, text).Id;

    /// <inheritdoc cref="InstanceOf"/>
    private static string? LayerOf(StoreTransaction transaction, string text)
    {
        if (text.Length == 0)
            return null;
        var names = transaction.Layers.All().Select(layer => layer.Name).Concat(transaction.Baselines.All().Select(baseline => baseline.Name)).ToList();
        return names.Exists(name => name.Line == text || name.ToString() == text)
            ? text
            : throw NotFound($"There is no layer or baseline '{text}'; {KnownNames.Some(names.Select(name => name.ToString()))}. 'telemetryctl layers list' and 'baselines list' show all.");
    }

    /// <inheritdoc cref="InstanceOf"/>
    private static string? OwnerOf(StoreTransaction transaction, string text)
    {
        if (text.Length == 0)
            return null;
        var owners = transaction.Layers.All().Select(layer => layer.Owner)
            .Concat(transaction.Baselines.All().Select(baseline => baseline.Owner))
            .Concat(transaction.Signatures.Keys().Select(key => key.Owner))
            .Where(owner => owner != Signing.PublicKey.Collector)
            .ToHashSet(StringComparer.Ordinal);
        return owners.Contains(text) ? text : throw NotFound($"There is no owner '{text}'; {KnownNames.Some(owners)}.");
    }
}
