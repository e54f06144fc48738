using System.Collections.Immutable;

namespace Telemetry.Collector.Causes;

/// <summary>One run of a package manager on an instance.</summary>
/// <param name="Id">Names it on its instance.</param>
/// <param name="Manager"><c>dpkg</c> or <c>rpm</c>.</param>
/// <param name="BeganAt">The agent's clock.</param>
/// <param name="EndedAt">The agent's clock; null: its end was not waited for.</param>
/// <param name="Packages">What it did, sorted.</param>
internal sealed record PackageTransaction(
    string Id, string Manager, DateTimeOffset BeganAt, DateTimeOffset? EndedAt, ImmutableArray<PackageTransition> Packages);

/// <summary>One package from one version to another.</summary>
/// <param name="From">Empty: it was not installed.</param>
/// <param name="To">Empty: it is not installed any more. The same as before: installed again.</param>
internal sealed record PackageTransition(string Name, string Architecture, string From, string To) : IComparable<PackageTransition>
{
    public int CompareTo(PackageTransition? other)
    {
        if (other is null)
            return 1;
        if (string.CompareOrdinal(Name, other.Name) is not 0 and var byName)
            return byName;
        if (string.CompareOrdinal(Architecture, other.Architecture) is not 0 and var byArchitecture)
            return byArchitecture;
        return string.CompareOrdinal(From, other.From) is not 0 and var byFrom ? byFrom : string.CompareOrdinal(To, other.To);
    }
}
