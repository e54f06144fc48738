using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>A base and layers on it, as people write them: <c>base:1+web:1+cache:1</c>. A version may have a plus of its own: <c>base:1.0+deb12+web:1</c>.</summary>
internal sealed partial record LayerStack(VersionName Base, IReadOnlyList<VersionName> Layers)
{
    /// <summary>How one is written, for error messages.</summary>
    public const string Form = "BASE:VERSION+LAYER:VERSION";

    /// <returns>Null: it is none, but perhaps something else.</returns>
    public static LayerStack? TryParse(string text)
    {
        var names = Joint().Split(text).Select(VersionName.TryParse).ToList();
        return names.Count > 1 && names.TrueForAll(name => name is not null) ? new LayerStack(names[0]!, [.. names.Skip(1)!]) : null;
    }

    /// <summary>What comes of it, without making a version.</summary>
    /// <param name="nodes">Gets those that are not in the store.</param>
    /// <exception cref="BaselineException">There is no such base.</exception>
    /// <exception cref="LayerException">There is no such layer, or they are in conflict.</exception>
    /// <exception cref="SignatureException">One of them is not what somebody signed who may.</exception>
    public StoredState Compose(StoreTransaction transaction, PolicyBook policies, Seals seals, MemoryNodes nodes)
    {
        var stack = LayerRegistry.StackOf(transaction, seals, Base, Layers, ImmutableDictionary<string, string>.Empty);
        var composed = stack.Compose(transaction, policies.OfLine(transaction, Base.Line).Policy);
        if (composed.Conflicts.Count > 0)
            throw new LayerException($"{this} cannot be composed: {LayerConflict.Summary(composed.Conflicts)}; 'telemetryctl layers merge {Base} {string.Join(' ', Layers)}' shows all, and 'telemetryctl baselines compose' makes a version of it with --resolve.");

        foreach (var node in composed.Created)
            nodes.Add(node);
        return new StoredState(composed.Roots, stack.Base.Coverage);
    }

    public override string ToString() => string.Join('+', Layers.Prepend(Base));

    /// <summary>A plus behind which another name begins.</summary>
    [GeneratedRegex(@"\+(?=[A-Za-z0-9][A-Za-z0-9._-]*:)", RegexOptions.CultureInvariant)]
    private static partial Regex Joint();
}
