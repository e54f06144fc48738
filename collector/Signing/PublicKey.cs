using System.Security.Cryptography;

namespace Telemetry.Collector.Signing;

/// <summary>A key whose signatures are accepted: ECDSA on the curve P-256.</summary>
/// <param name="Owner">Whose it is; <see cref="Collector"/> for a collector's, which speaks for all owners.</param>
/// <param name="Bytes">SubjectPublicKeyInfo (RFC 5280).</param>
/// <param name="RevokedAt">Since when it counts no more; null: it does.</param>
internal sealed record PublicKey(string Owner, byte[] Bytes, DateTimeOffset AddedAt, DateTimeOffset? RevokedAt = null)
{
    public const string Collector = "collector";

    private const string P256 = "1.2.840.10045.3.1.7";

    public string Id => Convert.ToHexStringLower(SHA256.HashData(Bytes).AsSpan(0, 8));

    /// <exception cref="SignatureException">Not a public key, or not of this curve.</exception>
    public static PublicKey FromPem(string owner, string pem, DateTimeOffset now)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(pem);
            if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value != P256)
                throw new SignatureException("The key is not on the curve P-256; make one with 'openssl ecparam -name prime256v1 -genkey'.");
            return new PublicKey(owner, key.ExportSubjectPublicKeyInfo(), now);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new SignatureException("That is no key in PEM form; 'openssl ec -in private.pem -pubout' prints one.");
        }
    }

    public bool Verifies(ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(Bytes, out _);
        return key.VerifyData(statement, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}

/// <summary>A signature over a statement.</summary>
/// <param name="Bytes">ECDSA-Sig-Value in DER (RFC 3279), as openssl writes it.</param>
internal sealed record Signature(string KeyId, byte[] Bytes);

/// <summary>What a signature is of: a layer or a baseline version.</summary>
internal readonly record struct Subject(string Kind, long Id)
{
    public static Subject Of(Layers.Layer layer) => new("layer", layer.Id);

    public static Subject Of(Baselines.Baseline baseline) => new("baseline", baseline.Id);
}

/// <summary>Something is not signed as it must be; the message says what, and what to do.</summary>
internal sealed class SignatureException(string message) : Exception(message);
