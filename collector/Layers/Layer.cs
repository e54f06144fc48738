using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Protocol.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Layers;

/// <summary>A named, versioned, owned delta. It never changes.</summary>
/// <param name="Owner">Whose it is.</param>
/// <param name="Before">Trees of the entries it changes or removes, as they were; nothing else is in them.</param>
/// <param name="After">Trees of the entries it adds or changes, as it leaves them; nothing else is in them.</param>
/// <param name="ClaimsText">What it claims, as its owner wrote it; empty: nothing.</param>
/// <param name="Source">For people: what it was made from.</param>
internal sealed record Layer(
    long Id, VersionName Name, string Owner, Roots Before, Roots After, string ClaimsText, string Source, DateTimeOffset CreatedAt)
{
    /// <summary>What its owner ships with it.</summary>
    public LayerFile File => field ??= ClaimsText.Length == 0 ? LayerFile.Nothing : LayerFile.Parse(ClaimsText, Name.ToString());

    public LayerClaims Claims => File.Claims;

    /// <summary>What it does, by kind and key.</summary>
    public IEnumerable<Difference> Changes(INodeSource nodes) =>
        EntryKinds.All.SelectMany(kind => TreeDifference.Between(nodes, Before[kind], nodes, After[kind]).Select(change => new Difference(kind, change)));

    /// <summary>Whether it adds, changes or removes an entry.</summary>
    public bool Writes(INodeSource nodes, EntryKind kind, EntryKey key) =>
        TreeReader.FindValue(nodes, After[kind], key) is not null || TreeReader.FindValue(nodes, Before[kind], key) is not null;

    /// <summary>Whether another layer does exactly the same, for the same owner.</summary>
    public bool HasContent(Layer other) =>
        Owner == other.Owner && Before == other.Before && After == other.After && ClaimsText == other.ClaimsText;
}

/// <summary>A layer cannot be made or composed as asked; the message says why and what to do.</summary>
internal sealed class LayerException(string message) : Exception(message);
