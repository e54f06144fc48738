using System.Collections.Immutable;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Baselines;

/// <summary>One immutable version of a line. <paramref name="Id"/> is its order of creation.</summary>
internal sealed record Baseline(
    long Id,
    VersionName Name,
    Roots Roots,
    Coverage Coverage,
    string Source,
    long Entries,
    DateTimeOffset ObservedAt,
    DateTimeOffset CreatedAt)
{
    public const string DefaultOwner = "base";

    /// <summary>Whose everything is that no layer writes or claims.</summary>
    public string Owner { get; init; } = DefaultOwner;

    /// <summary>The version its layers were put on; null: it is not composed.</summary>
    public long? BaseId { get; init; }

    /// <summary>Of conflicts between its layers: from the key, as people see it, to the name of the side that won.</summary>
    public ImmutableSortedDictionary<string, string> Resolutions { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Since when no instance is accepted for being like this; null: it is accepted.</summary>
    public DateTimeOffset? RetiredAt { get; init; }

    /// <summary>Whether another version says exactly the same, for the same owner.</summary>
    public bool HasContent(Baseline other) =>
        Roots == other.Roots && Coverage.Equals(other.Coverage) && Owner == other.Owner && BaseId == other.BaseId;
}
