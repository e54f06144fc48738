using System.Collections.Concurrent;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Signing;

/// <summary>What a signature proves. The words are what people and programs see.</summary>
internal enum SealVerdict
{
    Good,

    /// <summary>It is of another statement.</summary>
    Altered,

    /// <summary>Its key is not known here.</summary>
    Unknown,

    /// <summary>Its key does not count any more.</summary>
    Revoked,

    /// <summary>Its key is of somebody else.</summary>
    NotOwner,
}

/// <param name="Owner">Of the key; null: it is not known here.</param>
internal sealed record Seal(string KeyId, string? Owner, SealVerdict Verdict);

/// <summary>Signs what this collector makes, and checks whatever is used: that it is what somebody signed who may.</summary>
internal sealed class Seals(SigningKey key, TimeProvider time)
{
    /// <summary>Signatures that hold for their statement: to find out takes a tenth of a millisecond.</summary>
    private readonly ConcurrentDictionary<(Digest Statement, string KeyId, Digest Signature), bool> _checked = new();

    public void Sign(StoreTransaction transaction, Layer layer) => transaction.Signatures.Add(Subject.Of(layer), key.Sign(Statement.Of(layer)));

    public void Sign(StoreTransaction transaction, Baseline baseline) =>
        transaction.Signatures.Add(Subject.Of(baseline), key.Sign(Statement.Of(BaselineStack.Of(transaction, baseline), baseline)));

    /// <summary>Keeps those signatures from elsewhere that hold here.</summary>
    public void Keep(StoreTransaction transaction, Layer layer, IEnumerable<Signature> signatures) =>
        Keep(transaction, Subject.Of(layer), layer.Owner, Statement.Of(layer), signatures);

    /// <inheritdoc cref="Keep(StoreTransaction, Layer, IEnumerable{Signature})"/>
    public void Keep(StoreTransaction transaction, BaselineStack stack, Baseline baseline, IEnumerable<Signature> signatures) =>
        Keep(transaction, Subject.Of(baseline), baseline.Owner, Statement.Of(stack, baseline), signatures);

    /// <summary>Says that the versions of a line that are accepted now are meant to be.</summary>
    public void SignAcceptance(StoreTransaction transaction, string line) =>
        transaction.Signatures.SetAcceptance(line, key.Sign(Statement.Of(line, transaction.Baselines.Accepted(line))));

    /// <exception cref="SignatureException">It is not what somebody signed who may.</exception>
    public void Check(StoreTransaction transaction, Layer layer) =>
        Check(transaction, layer, transaction.Signatures.Of(Subject.Of(layer)));

    /// <inheritdoc cref="Check(StoreTransaction, Layer)"/>
    public void Check(StoreTransaction transaction, Layer layer, IReadOnlyList<Signature> signatures) =>
        Check("layer", layer.Name, layer.Owner, Of(transaction, signatures, layer.Owner, Statement.Of(layer)));

    /// <inheritdoc cref="Check(StoreTransaction, Layer)"/>
    public void Check(StoreTransaction transaction, BaselineStack stack, Baseline baseline) =>
        Check(transaction, stack, baseline, transaction.Signatures.Of(Subject.Of(baseline)));

    /// <inheritdoc cref="Check(StoreTransaction, Layer)"/>
    public void Check(StoreTransaction transaction, BaselineStack stack, Baseline baseline, IReadOnlyList<Signature> signatures) =>
        Check("baseline", baseline.Name, baseline.Owner, Of(transaction, signatures, baseline.Owner, Statement.Of(stack, baseline)));

    /// <summary>Why a version is not used, and what to do; empty: it is signed as it must be.</summary>
    public string ProblemOf(StoreTransaction transaction, Layer layer) => ProblemOf(() => Check(transaction, layer));

    /// <inheritdoc cref="ProblemOf(StoreTransaction, Layer)"/>
    public string ProblemOf(StoreTransaction transaction, Baseline baseline) => ProblemOf(() =>
    {
        Check(transaction, BaselineStack.Of(transaction, baseline), baseline);
        CheckAcceptance(transaction, baseline.Name.Line, transaction.Baselines.Accepted(baseline.Name.Line));
    });

    /// <param name="accepted">The versions of the line that the store says are accepted, newest first.</param>
    /// <exception cref="SignatureException">These are not the ones that this collector accepted.</exception>
    public void CheckAcceptance(StoreTransaction transaction, string line, IReadOnlyList<Baseline> accepted)
    {
        if (!IsAcceptance(transaction, line, accepted))
            throw new SignatureException($"Which versions of {line} are accepted is not what this collector signed: one was brought back, taken away or put before another in its store. Restore state.db from a copy of before. None of them is used.");
    }

    /// <summary>Every signature there is of something.</summary>
    /// <param name="owner">Whose it is: with collectors the only one who may sign it.</param>
    public IReadOnlyList<Seal> Of(StoreTransaction transaction, Subject subject, string owner, byte[] statement) =>
        Of(transaction, transaction.Signatures.Of(subject), owner, statement);

    private IReadOnlyList<Seal> Of(StoreTransaction transaction, IReadOnlyList<Signature> signatures, string owner, byte[] statement) =>
        [.. signatures.Select(signature => Of(transaction, signature, owner, statement))];

    public Seal Of(StoreTransaction transaction, Signature signature, string owner, byte[] statement)
    {
        var signer = transaction.Signatures.FindKey(signature.KeyId);
        var verdict = signer switch
        {
            null => SealVerdict.Unknown,
            { RevokedAt: not null } => SealVerdict.Revoked,
            _ when signer.Owner != PublicKey.Collector && signer.Owner != owner => SealVerdict.NotOwner,
            _ => Holds(signer, statement, signature) ? SealVerdict.Good : SealVerdict.Altered,
        };
        return new Seal(signature.KeyId, signer?.Owner, verdict);
    }

    /// <summary>Makes this collector's key known; at its first start, what was made before there were signatures is signed.</summary>
    /// <remarks>That start is over is kept outside of the store: whoever can write to that must not bring it back.</remarks>
    public void Adopt(StateStore store)
    {
        var isOver = key.HasSigned;
        store.Write(transaction => Adopt(transaction, isOver));
        if (!isOver)
            key.NoteSigned();
    }

    private void Adopt(StoreTransaction transaction, bool isOver)
    {
        var isFirst = !isOver && transaction.Signatures.Keys().Count == 0;
        var isNew = transaction.Signatures.FindKey(key.Public.Id) is null;
        transaction.Signatures.AddKey(key.Public with { AddedAt = time.GetUtcNow() });
        if (isFirst)
        {
            foreach (var layer in transaction.Layers.All())
                Sign(transaction, layer);
            foreach (var baseline in transaction.Baselines.All())
                Sign(transaction, baseline);
        }

        // With a new key, what the one before it said is said again: that one may be revoked.
        var isUnsaid = !isOver && (transaction.Collector.BeginAcceptances() || isFirst);
        foreach (var line in isUnsaid || isNew ? transaction.Baselines.Lines() : [])
        {
            if (isUnsaid || IsAcceptance(transaction, line, transaction.Baselines.Accepted(line)))
                SignAcceptance(transaction, line);
        }
    }

    public bool IsOwn(PublicKey other) => other.Id == key.Public.Id;

    private void Keep(StoreTransaction transaction, Subject subject, string owner, byte[] statement, IEnumerable<Signature> signatures)
    {
        foreach (var signature in signatures.Where(signature => Of(transaction, signature, owner, statement).Verdict == SealVerdict.Good))
            transaction.Signatures.Add(subject, signature);
    }

    private bool IsAcceptance(StoreTransaction transaction, string line, IReadOnlyList<Baseline> accepted) =>
        transaction.Signatures.Acceptance(line) is { } signature
            ? Of(transaction, signature, PublicKey.Collector, Statement.Of(line, accepted)).Verdict == SealVerdict.Good
            : accepted.Count == 0;

    private bool Holds(PublicKey signer, byte[] statement, Signature signature) =>
        _checked.GetOrAdd((Digest.Of(statement), signer.Id, Digest.Of(signature.Bytes)), _ => signer.Verifies(statement, signature.Bytes));

    private static string ProblemOf(Action check)
    {
        try
        {
            check();
            return "";
        }
        catch (SignatureException e)
        {
            return e.Message;
        }
    }

    private static void Check(string kind, VersionName name, string owner, IReadOnlyList<Seal> seals)
    {
        if (seals.Any(seal => seal.Verdict == SealVerdict.Good))
            return;
        var reason = seals.MinBy(seal => seal.Verdict) switch
        {
            null => "is not signed",
            { Verdict: SealVerdict.Altered } seal => $"is not what {seal.Owner} signed: it was altered since",
            { Verdict: SealVerdict.Unknown } seal => $"is signed with the key {seal.KeyId}, which nobody here knows; 'telemetryctl owners trust {owner} --key FILE' makes it known as {owner}'s, or with 'collector' for {owner} as another collector's, which signs for all owners",
            { Verdict: SealVerdict.Revoked } seal => $"is signed with the key {seal.KeyId} of {seal.Owner}, which was revoked; sign it with another key of {owner}'s by 'telemetryctl {kind}s sign {name} --key FILE', or take back what was revoked by mistake with 'telemetryctl owners trust {seal.Owner} --key FILE --anew'",
            var seal => $"belongs to {owner}, and is signed with the key {seal.KeyId} of {seal.Owner}; {owner} has to sign it by 'telemetryctl {kind}s sign {name} --key FILE', or, should that key be {owner}'s, 'telemetryctl owners trust {owner} --key FILE --anew' says so",
        };
        throw new SignatureException($"{(kind == "layer" ? "Layer" : "Baseline")} {name} {reason}. It is not used.");
    }
}
