using System.Collections.Immutable;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Layers;

/// <summary>What a baseline version consists of: what was scanned or captured, and the layers on it.</summary>
internal sealed record BaselineStack(Baseline Base, ImmutableArray<Layer> Layers, ImmutableSortedDictionary<string, string> Resolutions)
{
    public static BaselineStack Of(StoreTransaction transaction, Baseline baseline) => new(
        baseline.BaseId is { } id ? transaction.Baselines.Get(id) : baseline,
        [.. transaction.Layers.Of(baseline.Id)],
        baseline.Resolutions);

    public LayerBase Start => new(Base.Name.ToString(), Base.Owner, Base.Roots);

    /// <summary>The same with more on it.</summary>
    public BaselineStack With(IEnumerable<Layer> layers, IEnumerable<KeyValuePair<string, string>> resolutions) =>
        this with { Layers = [.. Layers, .. layers], Resolutions = Resolutions.SetItems(resolutions) };

    public Composed Compose(StoreTransaction transaction, Policy policy) =>
        new Composition(transaction.Nodes, Start, Layers, policy, Resolutions).Run();

    /// <summary>The version that these make.</summary>
    public Baseline ToBaseline(VersionName name, Roots roots, DateTimeOffset now) => Base with
    {
        Name = name,
        Roots = roots,
        Source = $"{Base.Name} with {string.Join(", ", Layers.Select(layer => layer.Name))}",
        CreatedAt = now,
        BaseId = Base.Id,
        Resolutions = Resolutions,
        RetiredAt = null,
    };

    public Attribution Attribution(StoreTransaction transaction) => new(transaction.Nodes, Start, Layers);
}
