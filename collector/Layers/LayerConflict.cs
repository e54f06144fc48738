using Telemetry.Protocol.Model;

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
/// <param name="Sides">Two or more.</param>
internal sealed record LayerConflict(ConflictKind Kind, string Key, (EntryKind Kind, EntryKey Key)? Entry, IReadOnlyList<ConflictSide> Sides);

/// <summary>What one of them wants.</summary>
/// <param name="Layer">Name and version of the layer, or of the base.</param>
/// <param name="Entry">The entry as it would have it; null: not there, or not about an entry.</param>
/// <param name="Text">Of what is no entry: such as <c>tcp/80</c>.</param>
internal sealed record ConflictSide(string Layer, string Owner, Fingerprint? Entry, string? Text = null);
