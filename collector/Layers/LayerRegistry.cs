using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Layers;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Layers;

/// <summary>Makes layers, and tries what comes of putting some together.</summary>
internal sealed class LayerRegistry(StateStore store, PolicyBook policies, Seals seals, TimeProvider time)
{
    /// <summary>Makes a version of what differs between two states. Repeating it with equal content is harmless.</summary>
    /// <param name="name">Null: as the claims say.</param>
    /// <param name="owner">Null: as the claims say.</param>
    /// <param name="from">Name of the state it begins with: a baseline, an instance or <c>INSTANCE@TIME</c>.</param>
    /// <param name="to">Name of the state with the layer.</param>
    /// <param name="claims">What its owner ships with it, in TOML; empty: nothing.</param>
    /// <param name="policy">Says what is no difference, and what is derived and so no part of any layer.</param>
    /// <exception cref="LayerException">That version exists with other content, or there is no difference.</exception>
    /// <exception cref="UnknownStateException">There is no such state.</exception>
    /// <exception cref="ConfigurationException">The claims have mistakes.</exception>
    /// <exception cref="SignatureException">One of them is a baseline that is not what somebody signed who may.</exception>
    public CreatedLayer Create(VersionName? name, string? owner, string from, string to, string claims, string policy)
    {
        var file = LayerFile.Parse(claims, "claims");
        (name, owner) = (NameOf(file, name), OwnerOf(file, owner));
        var now = time.GetUtcNow();
        var (trees, nodes, leftOut) = store.Read(transaction =>
        {
            var yardstick = (policies.Find(transaction, policy) ?? throw new UnknownPolicyException(policy)).Yardstick;
            CheckBaseline(transaction, from);
            CheckBaseline(transaction, to);
            var (changes, leftOut) = Changes(transaction, StoredState.Find(transaction, from, now), StoredState.Find(transaction, to, now), yardstick);
            if (changes.Count == 0)
                throw new LayerException($"There is no difference between {from} and {to} that could be a layer; 'telemetryctl diff {from} {to}' shows what differs.");

            var trees = LayerTrees.Of(changes);
            return (trees, CreatedNodes.ToStore(trees.Nodes, transaction.Nodes), leftOut);
        });

        var layer = new Layer(0, name, owner, trees.Before, trees.After, claims, $"from {from} to {to}", now);
        return new CreatedLayer(store.Write(transaction => Add(transaction, seals, layer, nodes)), leftOut);
    }

    /// <summary>Stores a version, and signs it. Repeating it with equal content is harmless.</summary>
    /// <exception cref="LayerException">That version exists with other content.</exception>
    public static Layer Add(StoreTransaction transaction, Seals seals, Layer layer, AssembledNodes nodes)
    {
        if (transaction.Layers.Find(layer.Name) is { } existing)
        {
            return existing.HasContent(layer)
                ? existing
                : throw new LayerException($"Layer {layer.Name} exists with other content, and versions never change; choose another version.");
        }

        transaction.Nodes.Add(nodes);
        var added = transaction.Layers.Add(layer);
        seals.Sign(transaction, added);
        return added;
    }

    /// <summary>What comes of layers on a base. Changes nothing.</summary>
    /// <param name="line">That would be composed: its policy compares. Null: the base's.</param>
    /// <param name="policy">Name of another policy; null: that of the line.</param>
    /// <exception cref="UnknownPolicyException">There is no such policy.</exception>
    /// <exception cref="BaselineException">There is no such baseline.</exception>
    /// <exception cref="LayerException">There is no such layer, it has the name of the base, or a resolution settles nothing.</exception>
    /// <exception cref="SignatureException">One of them is not what somebody signed who may.</exception>
    public (Composed Composed, string Policy) Merge(
        VersionName baseName, IReadOnlyList<VersionName> layers, IReadOnlyDictionary<string, string> resolutions, string? line = null, string? policy = null) =>
        store.Read(transaction =>
        {
            var used = policy is null ? policies.OfLine(transaction, line ?? baseName.Line) : policies.Find(transaction, policy) ?? throw new UnknownPolicyException(policy);
            return (Compose(transaction, seals, used.Policy, baseName, layers, resolutions).Composed, used.Name);
        });

    /// <summary>What comes of layers on a base, as a policy compares.</summary>
    /// <exception cref="BaselineException">There is no such baseline.</exception>
    /// <exception cref="LayerException">There is no such layer, it has the name of the base, or a resolution settles nothing.</exception>
    /// <exception cref="SignatureException">One of them is not what somebody signed who may.</exception>
    public static (BaselineStack Stack, Composed Composed) Compose(
        StoreTransaction transaction, Seals seals, Policy policy, VersionName baseName, IReadOnlyList<VersionName> layers, IReadOnlyDictionary<string, string> resolutions)
    {
        var stack = StackOf(transaction, seals, baseName, layers, resolutions);
        var composed = stack.Compose(transaction, policy);
        return composed.ProblemOf(resolutions) is { } problem ? throw new LayerException($"{problem} Compared by policy '{policy.Name}'.") : (stack, composed);
    }

    public static BaselineStack StackOf(
        StoreTransaction transaction, Seals seals, VersionName baseName, IReadOnlyList<VersionName> layers, IReadOnlyDictionary<string, string> resolutions)
    {
        var start = BaselineRegistry.Find(transaction, baseName);
        var below = BaselineStack.Of(transaction, start);
        seals.Check(transaction, below, start);
        var stack = below.With(layers.Select(name => Find(transaction, name)), resolutions);
        foreach (var layer in stack.Layers)
            seals.Check(transaction, layer);
        CheckTwice(stack.Layers);
        if (stack.Layers.FirstOrDefault(layer => layer.Name.Line == stack.Base.Name.Line) is { } namesake)
            throw new LayerException($"Layer {namesake.Name} has the name of the baseline {stack.Base.Name} it would be on, so that nobody could tell their sides of a conflict apart; make the layer under another name.");
        return stack;
    }

    /// <exception cref="LayerException">Two of them are versions of one layer.</exception>
    public static void CheckTwice(IEnumerable<Layer> layers)
    {
        if (layers.GroupBy(layer => layer.Name.Line).FirstOrDefault(line => line.Count() > 1) is { } twice)
            throw new LayerException($"Layer {twice.Key} would be there twice, as {string.Join(" and ", twice.Select(layer => layer.Name))}; choose one version.");
    }

    /// <exception cref="LayerException">There is none.</exception>
    public static Layer Find(StoreTransaction transaction, VersionName name) =>
        transaction.Layers.Find(name) ?? throw new LayerException($"There is no layer '{name}'; 'telemetryctl layers list' shows those there are.");

    /// <summary>What differs as closely as a policy looks, without what machines make of other files.</summary>
    private static (IReadOnlyList<Difference> Changes, string LeftOut) Changes(StoreTransaction transaction, StoredState from, StoredState to, Yardstick yardstick)
    {
        var overlap = new CoverageOverlap(from.Coverage, to.Coverage);
        var findings = PolicyComparison.Between(transaction.Nodes, from.Roots, to.Roots, overlap, yardstick);
        var changes = findings
            .Where(finding => finding.Verdict == Verdict.Different && yardstick.Policy.TreatmentOf(finding.Kind, finding.Key.Bytes) != Treatment.Derived)
            .Select(finding => new Difference(finding.Kind, finding.Change));
        return ([.. changes], LeftOut.Of(overlap, findings));
    }

    /// <summary>What a layer is made of is signed with it: a state that is a baseline must be what was signed.</summary>
    private void CheckBaseline(StoreTransaction transaction, string state)
    {
        if (VersionName.TryParse(state) is { } name && transaction.Baselines.Find(name) is { } baseline)
            seals.Check(transaction, BaselineStack.Of(transaction, baseline), baseline);
    }

    private static VersionName NameOf(LayerFile file, VersionName? name)
    {
        if (name is null)
        {
            return file is { Name: { } claimed, Version: { } claimedVersion }
                ? new VersionName(claimed, claimedVersion)
                : throw new ConfigurationException([$"claims: name and version must be given, or the layer be named as {VersionName.Form}."]);
        }

        if (file.Name is { } line && line != name.Line)
            throw new LayerException($"The claims are those of layer '{line}', not of '{name.Line}'.");
        if (file.Version is { } version && version != name.Version)
            throw new LayerException($"The claims are those of version '{version}', not of '{name.Version}'.");
        return name;
    }

    private static string OwnerOf(LayerFile file, string? owner)
    {
        if (owner is null)
            return file.Owner ?? throw new ConfigurationException(["claims: owner must be given, or be named with --owner: a layer has an owner."]);
        return file.Owner is { } claimant && claimant != owner
            ? throw new LayerException($"The claims are made by '{claimant}', not by '{owner}'.")
            : owner;
    }
}

/// <summary>What came of making a layer.</summary>
/// <param name="LeftOut">What could not be compared, and so is no part of it, for people; empty: nothing.</param>
internal sealed record CreatedLayer(Layer Layer, string LeftOut);
