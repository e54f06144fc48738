using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Layers;

/// <summary>Whose entry it is.</summary>
/// <param name="Layer">Name and version of the layer, or of the base.</param>
internal sealed record Attributed(string Layer, string Owner)
{
    /// <summary>Whatever version of it.</summary>
    public bool IsOfTheSameLayerAs(Attributed other) => Owner == other.Owner && Layer.Split(':')[0] == other.Layer.Split(':')[0];
}

/// <summary>Which layer of a baseline an entry belongs to, whether the baseline has it or not. Pure: it reads nodes.</summary>
/// <remarks>
/// In this order: the last layer that writes it; the last layer whose claim names most of its key; the layer that made the nearest
/// directory above it; of a setting, what all that says of its file; the base.
/// </remarks>
internal sealed class Attribution(INodeSource nodes, LayerBase start, IReadOnlyList<Layer> layers)
{
    private readonly Attributed _base = new(start.Name, start.Owner);
    private readonly Dictionary<EntryKey, Attributed?> _ofFiles = [];

    public Attributed Of(EntryKind kind, EntryKey key)
    {
        // With nothing on it, everything is the base's.
        if (layers.Count == 0)
            return _base;

        return (WriterOf(kind, key) is { } writer ? Of(writer) : ByClaim(kind, key)) ?? OfFile(kind, key) ?? _base;
    }

    private static Attributed Of(Layer layer) => new(layer.Name.ToString(), layer.Owner);

    private Layer? WriterOf(EntryKind kind, EntryKey key)
    {
        for (var i = layers.Count - 1; i >= 0; i--)
        {
            if (layers[i].Writes(nodes, kind, key))
                return layers[i];
        }

        return null;
    }

    private Attributed? ByClaim(EntryKind kind, EntryKey key)
    {
        // Of equal claims that of the upper layer, as of two that write.
        var (layer, claim) = layers.Reverse().Select(layer => (layer, layer.Claims.ClaimOn(kind, key.Bytes))).MaxBy(claim => claim.Item2);
        return claim >= 0 ? Of(layer) : null;
    }

    /// <summary>What surrounds a file decides about it, and about what it holds.</summary>
    private Attributed? OfFile(EntryKind kind, EntryKey key) => kind switch
    {
        EntryKind.File => ByDirectory(key),
        EntryKind.Setting => KnownFile(SettingKey.FileOf(key.Bytes)),
        _ => null,
    };

    private Attributed? KnownFile(EntryKey file)
    {
        if (!_ofFiles.TryGetValue(file, out var known))
            _ofFiles[file] = known = WriterOf(EntryKind.File, file) is { } writer ? Of(writer) : ByClaim(EntryKind.File, file) ?? ByDirectory(file);
        return known;
    }

    private Attributed? ByDirectory(EntryKey file)
    {
        for (var end = file.Bytes.LastIndexOf(EntryKey.Separator); end > 0; end = file.Bytes[..end].LastIndexOf(EntryKey.Separator))
        {
            var directory = new EntryKey(file.Bytes[..end]);
            if (WriterOf(EntryKind.File, directory) is { } writer)
                return Of(writer);
            if (TreeReader.FindValue(nodes, start.Roots.File, directory) is not null)
                return null;
        }

        return null;
    }
}
