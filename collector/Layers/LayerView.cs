using System.Text.Json.Serialization;
using Telemetry.Protocol.Text;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Layers;

/// <summary>A layer version as people and programs read it: the JSON of <c>layers</c>.</summary>
internal record LayerView
{
    public required string Name { get; init; }

    public required string Version { get; init; }

    public required string Owner { get; init; }

    public required string Source { get; init; }

    public DateTime CreatedAt { get; init; }

    /// <summary>Entries.</summary>
    public uint Added { get; init; }

    public uint Removed { get; init; }

    public uint Changed { get; init; }

    /// <summary>TOML, as its owner wrote it; null: it claims nothing.</summary>
    public string? Claims { get; init; }

    /// <summary>What could not be compared when it was made, and so is no part of it; null: nothing, or it was made before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LeftOut { get; init; }

    /// <summary>Why it is not used, and what to do: it is not signed as it must be; null: it is.</summary>
    public string? Problem { get; init; }

    public static LayerView Of(V1.Layer layer) => new()
    {
        Name = layer.Name,
        Version = layer.Version,
        Owner = layer.Owner,
        Source = layer.Source,
        CreatedAt = layer.CreatedAt.ToDateTime(),
        Added = layer.Added,
        Removed = layer.Removed,
        Changed = layer.Changed,
        Claims = layer.Claims.Length == 0 ? null : layer.Claims,
        Problem = layer.Problem.Length == 0 ? null : layer.Problem,
    };
}

/// <summary>What layers want differently: the JSON of <c>layers merge</c>.</summary>
/// <param name="Remedy">What settles it, for people.</param>
internal sealed record ConflictView(string Kind, string Key, IReadOnlyList<ConflictSideView> Sides, [property: JsonIgnore] string Remedy)
{
    public static ConflictView Of(V1.Conflict conflict) => new(conflict.Kind, conflict.Key, [.. conflict.Sides.Select(ConflictSideView.Of)], conflict.Remedy);
}

/// <param name="Entry">As it would have it; null: not there, or not about an entry.</param>
internal sealed record ConflictSideView(string Layer, string Owner, EntryView? Entry, string? Text)
{
    /// <summary>For people.</summary>
    [JsonIgnore]
    public string Wants => Text ?? Entry?.Summary ?? "not there";

    public static ConflictSideView Of(V1.ConflictSide side) =>
        new(side.Layer, side.Owner, EntryView.Of(side.Entry), side.Text.Length == 0 ? null : side.Text);
}
