using System.Collections.Immutable;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Baselines;

/// <summary>A version with all that it stands on and who signed what, as one collector hands it to another. Its nodes go beside it.</summary>
/// <param name="Base">What its layers are on; null: it is not composed.</param>
internal sealed record Bundle(Signed<Baseline> Baseline, Signed<Baseline>? Base, ImmutableArray<Signed<Layer>> Layers)
{
    public BaselineStack Stack => new((Base ?? Baseline).What, [.. Layers.Select(layer => layer.What)], Baseline.What.Resolutions);

    public BaselineStack BaseStack => Stack with { Layers = [], Resolutions = ImmutableSortedDictionary<string, string>.Empty };

    /// <summary>Of every tree in it.</summary>
    public IEnumerable<Digest> Roots =>
        from roots in (Roots[])[Baseline.What.Roots, .. Base is null ? (Roots[])[] : [Base.What.Roots], .. Layers.SelectMany(layer => (Roots[])[layer.What.Before, layer.What.After])]
        from kind in EntryKinds.All
        select roots[kind];

    public static Bundle Of(StoreTransaction transaction, Baseline baseline)
    {
        var stack = BaselineStack.Of(transaction, baseline);
        return new Bundle(
            Signed(baseline),
            baseline.BaseId is null ? null : Signed(stack.Base),
            [.. stack.Layers.Select(layer => new Signed<Layer>(layer, [.. transaction.Signatures.Of(Subject.Of(layer))]))]);

        Signed<Baseline> Signed(Baseline version) => new(version, [.. transaction.Signatures.Of(Subject.Of(version))]);
    }
}

/// <summary>Something with its signatures.</summary>
internal sealed record Signed<T>(T What, ImmutableArray<Signature> Signatures);
