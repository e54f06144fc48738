using Telemetry.Collector.Causes;
using Telemetry.Collector.Identity;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Layers;

namespace Telemetry.Collector.Baselines;

/// <summary>Hands versions to other collectors, and takes theirs: as they were signed there, and only if who signed them is trusted here.</summary>
internal sealed class BundleRegistry(StateStore store, Seals seals, Pipeline pipeline, TimeProvider time)
{
    /// <summary>Clocks differ, but what is dated beyond this would be the newest of its line for good.</summary>
    private static readonly TimeSpan MaxAhead = TimeSpan.FromDays(1);

    /// <exception cref="BaselineException">There is no such version.</exception>
    /// <exception cref="SignatureException">It is not what somebody signed who may.</exception>
    public Bundle Export(StoreTransaction transaction, VersionName name)
    {
        var bundle = Bundle.Of(transaction, BaselineRegistry.Find(transaction, name));
        CheckSeals(transaction, bundle);
        return bundle;
    }

    /// <summary>Whether a bundle would be taken, before any of its nodes is.</summary>
    /// <inheritdoc cref="Import"/>
    public void Check(Bundle bundle, bool asHistory) => store.Read(transaction => Check(transaction, bundle, asHistory));

    /// <summary>Stores a version, its layers and what they are on, without signing anything anew. Repeating it is harmless.</summary>
    /// <remarks>What the layers are on comes as history if it is not here: to be accepted it is imported itself.</remarks>
    /// <param name="asHistory">Then it is retired at once.</param>
    /// <param name="nodes">Those of its trees that are not stored yet.</param>
    /// <exception cref="SignatureException">It is not what somebody signed who may.</exception>
    /// <exception cref="BaselineException">It exists with other content, or is older than the version that is required.</exception>
    /// <exception cref="LayerException">One of its layers exists with other content.</exception>
    /// <exception cref="Protocol.Configuration.ConfigurationException">The claims of one of its layers can't be read.</exception>
    public Baseline Import(Bundle bundle, bool asHistory, AssembledNodes nodes, string by = AdminToken.Holder)
    {
        var imported = store.Write(transaction =>
        {
            Check(transaction, bundle, asHistory);
            transaction.Nodes.Add(nodes);
            var layers = bundle.Layers.Select(layer => Put(transaction, layer)).ToList();
            var below = bundle.Base is null ? null : Put(transaction, bundle.Base, bundle.BaseStack, [], asHistory: true);
            var imported = Put(transaction, bundle.Baseline with { What = bundle.Baseline.What with { BaseId = below?.Id } }, bundle.Stack, layers, asHistory);
            transaction.Pending.Add(BaselineRegistry.Judged(transaction, imported.Name.Line), new JudgedAnew(by, $"imported {imported.Name}", time.GetUtcNow()));
            return imported;
        });
        pipeline.JudgePending();
        return imported;
    }

    private void Check(StoreTransaction transaction, Bundle bundle, bool asHistory)
    {
        CheckSeals(transaction, bundle);
        CheckOwners(transaction, bundle);
        LayerRegistry.CheckTwice(bundle.Layers.Select(layer => layer.What));
        foreach (var layer in bundle.Layers)
        {
            LayerFile.Parse(layer.What.ClaimsText, $"claims of {layer.What.Name}");
            FindSame(transaction, layer.What);
        }

        if (bundle.Base is { } below)
            FindSame(transaction, below.What, bundle.BaseStack);

        var baseline = bundle.Baseline.What;
        foreach (var version in bundle.Base is null ? [baseline] : (IReadOnlyList<Baseline>)[bundle.Base.What, baseline])
        {
            if (version.CreatedAt > time.GetUtcNow() + MaxAhead)
                throw new BaselineException($"{version.Name} was made at {version.CreatedAt:yyyy-MM-dd HH:mm:ss}Z, which is still to come; set the clock of the collector that made it, and make it anew there.");
        }

        if (FindSame(transaction, baseline, bundle.Stack) is null && !asHistory && transaction.Baselines.Newest(baseline.Name.Line) is { } newest && newest.CreatedAt >= baseline.CreatedAt)
            throw new BaselineException($"{baseline.Name} is older than {newest.Name}, which is required here: to accept it again would undo what replaced it. With --history it is kept, and nobody is accepted for being like it.");
    }

    /// <summary>Who is trusted for what is theirs does not take over a line that is somebody else's here: that takes a collector's word.</summary>
    private void CheckOwners(StoreTransaction transaction, Bundle bundle)
    {
        foreach (var (signed, stack) in bundle.Base is { } below ? [(below, bundle.BaseStack), (bundle.Baseline, bundle.Stack)] : new[] { (bundle.Baseline, bundle.Stack) })
        {
            var here = transaction.Baselines.All().FirstOrDefault(known => known.Name.Line == signed.What.Name.Line)?.Owner;
            Check($"Baseline {signed.What.Name}", signed.What.Owner, here, Statement.Of(stack, signed.What), signed.Signatures);
        }

        foreach (var signed in bundle.Layers)
        {
            var here = transaction.Layers.All().FirstOrDefault(known => known.Name.Line == signed.What.Name.Line)?.Owner;
            Check($"Layer {signed.What.Name}", signed.What.Owner, here, Statement.Of(signed.What), signed.Signatures);
        }

        void Check(string what, string owner, string? here, byte[] statement, IReadOnlyList<Signature> signatures)
        {
            if (here is null || here == owner || signatures.Any(signature =>
                seals.Of(transaction, signature, owner, statement) is { Verdict: SealVerdict.Good, Owner: PublicKey.Collector }))
                return;
            throw new SignatureException($"{what} is of {owner}, and that line is of {here} here: only a collector that is trusted here may say that it changed hands.");
        }
    }

    private void CheckSeals(StoreTransaction transaction, Bundle bundle)
    {
        foreach (var layer in bundle.Layers)
            seals.Check(transaction, layer.What, layer.Signatures);
        if (bundle.Base is { } below)
            seals.Check(transaction, bundle.BaseStack, below.What, below.Signatures);
        seals.Check(transaction, bundle.Stack, bundle.Baseline.What, bundle.Baseline.Signatures);
    }

    private Layer Put(StoreTransaction transaction, Signed<Layer> signed)
    {
        var layer = FindSame(transaction, signed.What) ?? transaction.Layers.Add(signed.What);
        seals.Keep(transaction, layer, signed.Signatures);
        return layer;
    }

    private Baseline Put(StoreTransaction transaction, Signed<Baseline> signed, BaselineStack stack, IReadOnlyList<Layer> layers, bool asHistory)
    {
        var line = signed.What.Name.Line;
        seals.CheckAcceptance(transaction, line, transaction.Baselines.Accepted(line));

        var newest = transaction.Baselines.Newest(line);
        var baseline = FindSame(transaction, signed.What, stack);
        if (baseline is null)
        {
            baseline = BaselineRegistry.Store(transaction, signed.What, layers);
            if (asHistory)
                transaction.Baselines.Retire(baseline.Id, time.GetUtcNow());
        }
        else if (!asHistory && baseline.RetiredAt is not null && (newest is null || newest.CreatedAt < baseline.CreatedAt))
        {
            transaction.Baselines.Accept(baseline.Id);
        }

        seals.Keep(transaction, stack, baseline, signed.Signatures);
        seals.SignAcceptance(transaction, line);
        return transaction.Baselines.Get(baseline.Id);
    }

    /// <returns>Null when there is no such version.</returns>
    private static Layer? FindSame(StoreTransaction transaction, Layer layer) =>
        transaction.Layers.Find(layer.Name) is not { } existing ? null
        : Statement.Of(existing).AsSpan().SequenceEqual(Statement.Of(layer)) ? existing
        : throw new LayerException($"Layer {layer.Name} exists here with other content or from another time, and versions never change; make it a new version where it comes from.");

    /// <inheritdoc cref="FindSame(StoreTransaction, Layer)"/>
    private static Baseline? FindSame(StoreTransaction transaction, Baseline baseline, BaselineStack stack) =>
        transaction.Baselines.Find(baseline.Name) is not { } existing ? null
        : Statement.Of(BaselineStack.Of(transaction, existing), existing).AsSpan().SequenceEqual(Statement.Of(stack, baseline)) ? existing
        : throw new BaselineException($"Baseline {baseline.Name} exists here with other content or from another time, and versions never change; make it a new version where it comes from.");
}
