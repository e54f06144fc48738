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

    /// <exception cref="SignatureException">It is not what somebody signed who may.</exception>
    public void Check(StoreTransaction transaction, Layer layer) =>
        Check($"Layer {layer.Name}", layer.Owner, Of(transaction, Subject.Of(layer), layer.Owner, Statement.Of(layer)));

    /// <inheritdoc cref="Check(StoreTransaction, Layer)"/>
    public void Check(StoreTransaction transaction, BaselineStack stack, Baseline baseline) =>
        Check($"Baseline {baseline.Name}", baseline.Owner, Of(transaction, Subject.Of(baseline), baseline.Owner, Statement.Of(stack, baseline)));

    /// <summary>Every signature there is of something.</summary>
    /// <param name="owner">Whose it is: with collectors the only one who may sign it.</param>
    public IReadOnlyList<Seal> Of(StoreTransaction transaction, Subject subject, string owner, byte[] statement) =>
        [.. transaction.Signatures.Of(subject).Select(signature => Of(transaction, signature, owner, statement))];

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
    public void Adopt(StoreTransaction transaction)
    {
        var isFirst = transaction.Signatures.Keys().Count == 0;
        transaction.Signatures.AddKey(key.Public with { AddedAt = time.GetUtcNow() });
        if (!isFirst)
            return;
        foreach (var layer in transaction.Layers.All())
            Sign(transaction, layer);
        foreach (var baseline in transaction.Baselines.All())
            Sign(transaction, baseline);
    }

    public bool IsOwn(PublicKey other) => other.Id == key.Public.Id;

    private bool Holds(PublicKey signer, byte[] statement, Signature signature) =>
        _checked.GetOrAdd((Digest.Of(statement), signer.Id, Digest.Of(signature.Bytes)), _ => signer.Verifies(statement, signature.Bytes));

    private static void Check(string name, string owner, IReadOnlyList<Seal> seals)
    {
        if (seals.Any(seal => seal.Verdict == SealVerdict.Good))
            return;
        var reason = seals.MinBy(seal => seal.Verdict) switch
        {
            null => "is not signed",
            { Verdict: SealVerdict.Altered } seal => $"is not what {seal.Owner} signed: it was altered since",
            { Verdict: SealVerdict.Unknown } seal => $"is signed with the key {seal.KeyId}, which nobody here knows; 'telemetryctl owners trust {owner} --key FILE' makes it known",
            { Verdict: SealVerdict.Revoked } seal => $"is signed with the key {seal.KeyId} of {seal.Owner}, which was revoked",
            var seal => $"belongs to {owner}, and is signed by {seal.Owner}",
        };
        throw new SignatureException($"{name} {reason}. It is not used.");
    }
}
