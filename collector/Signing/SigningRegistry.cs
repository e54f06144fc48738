using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Identity;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Signing;

/// <summary>Says whose signatures count, takes those that owners made, and has judged anew whom that concerns.</summary>
internal sealed class SigningRegistry(StateStore store, Seals seals, Pipeline pipeline, TimeProvider time)
{
    /// <summary>Accepts signatures of a key from now on. Repeating it is harmless.</summary>
    /// <param name="pem">A public key, or a private one.</param>
    /// <param name="anew">Though it is known as another's, or was revoked: what it signed counts as this owner's.</param>
    /// <exception cref="SignatureException">No key that can be used, or one that is known otherwise.</exception>
    public PublicKey Trust(string owner, string pem, bool anew, string by = AdminToken.Holder)
    {
        var key = PublicKey.FromPem(owner, pem, time.GetUtcNow());
        var trusted = store.Write(transaction =>
        {
            if (transaction.Signatures.FindKey(key.Id) is not { } known)
            {
                transaction.Signatures.AddKey(key);
            }
            else if (known.Owner != owner || known.RevokedAt is not null)
            {
                if (seals.IsOwn(known))
                    throw new SignatureException("That is this collector's own key, and nobody else's.");
                if (!anew)
                    throw new SignatureException(KnownOtherwise(known, owner));
                transaction.Signatures.ReplaceKey(key);
            }

            return Concerns(transaction, key.Id, by, $"trusted a key of {owner}");
        });
        pipeline.JudgePending();
        return trusted;
    }

    /// <summary>Accepts signatures of a key no more.</summary>
    /// <exception cref="UnknownKeyException">There is none of that id.</exception>
    /// <exception cref="SignatureException">It is the collector's own.</exception>
    public PublicKey Revoke(string id, string by = AdminToken.Holder)
    {
        var revoked = store.Write(transaction =>
        {
            var key = transaction.Signatures.FindKey(id) ?? throw new UnknownKeyException(id);
            if (seals.IsOwn(key))
                throw new SignatureException($"That is this collector's own key: with a new one, made when {SigningKey.FileName} in its data directory is moved away, it can be revoked.");
            transaction.Signatures.RevokeKey(id, time.GetUtcNow());
            return Concerns(transaction, id, by, $"revoked a key of {key.Owner}");
        });
        pipeline.JudgePending();
        return revoked;
    }

    /// <summary>Keeps an owner's signature.</summary>
    /// <exception cref="SignatureException">It does not hold, or its key does not count for this owner.</exception>
    public void Add(SignedVersion version, Signature signature, string by = AdminToken.Holder)
    {
        store.Write(transaction =>
        {
            var (subject, owner, statement) = version.In(transaction);
            var seal = seals.Of(transaction, signature, owner, statement);
            if (seal.Verdict != SealVerdict.Good)
            {
                throw new SignatureException(seal.Verdict switch
                {
                    SealVerdict.Unknown => $"The key {signature.KeyId} is not known here; 'telemetryctl owners trust {owner} --key FILE' makes it known.",
                    SealVerdict.Revoked => $"The key {signature.KeyId} was revoked.",
                    SealVerdict.NotOwner => $"The key is of {seal.Owner}; {owner} has to sign this.",
                    _ => "The signature does not hold for what it is of.",
                });
            }

            transaction.Signatures.Add(subject, signature);
            Concerns(transaction, signature.KeyId, by, $"added a signature of {owner} to {version.Name}");
        });
        pipeline.JudgePending();
    }

    /// <summary>Has judged whom the lines judge that a key signed.</summary>
    private PublicKey Concerns(StoreTransaction transaction, string keyId, string by, string what)
    {
        var judged = transaction.Signatures.LinesSignedWith(keyId).SelectMany(line => BaselineRegistry.Judged(transaction, line)).ToList();
        transaction.Pending.Add(judged, new JudgedAnew(by, what, time.GetUtcNow()));
        return transaction.Signatures.FindKey(keyId)!;
    }

    private static string KnownOtherwise(PublicKey known, string owner) => known.RevokedAt is { } at
        ? $"That key of {known.Owner} was revoked at {at:yyyy-MM-dd HH:mm:ss}Z: who may have got hold of it could sign with it. If that was a mistake, 'telemetryctl owners trust {owner} --key FILE --anew' makes it {owner}'s from now on."
        : $"That key is known as one of {known.Owner}. If that was a mistake, 'telemetryctl owners trust {owner} --key FILE --anew' makes it {owner}'s instead.";
}

/// <summary>A layer or baseline version, by its name.</summary>
internal sealed record SignedVersion(VersionName Name, bool IsLayer)
{
    /// <returns>Whose it is, and what is to be signed of it.</returns>
    /// <exception cref="LayerException">There is no such layer.</exception>
    /// <exception cref="BaselineException">There is no such baseline.</exception>
    public (Subject Subject, string Owner, byte[] Statement) In(StoreTransaction transaction)
    {
        if (IsLayer)
        {
            var layer = LayerRegistry.Find(transaction, Name);
            return (Subject.Of(layer), layer.Owner, Statement.Of(layer));
        }

        var baseline = BaselineRegistry.Find(transaction, Name);
        return (Subject.Of(baseline), baseline.Owner, Statement.Of(BaselineStack.Of(transaction, baseline), baseline));
    }
}

/// <summary>A key is asked for by an id that none has.</summary>
internal sealed class UnknownKeyException(string id)
    : Exception($"There is no key '{id}'; 'telemetryctl owners list' shows those there are.");
