using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Telemetry.Protocol.Model;

/// <summary>
/// The secret that digests of secrets are keyed with, one for a fleet: whoever sees such a digest and not the key can't try
/// out what it is of. Digests under different keys can't be compared.
/// </summary>
public sealed class FleetKey
{
    public const int Length = 32;

    private readonly byte[] _key;

    private FleetKey(byte[] key)
    {
        _key = key;
        Id = BinaryPrimitives.ReadUInt64BigEndian(HMACSHA256.HashData(key, "telemetry fleet key"u8));
    }

    /// <summary>Names the key without telling it: the first eight bytes of an HMAC of a fixed text.</summary>
    public ulong Id { get; }

    public static FleetKey Random() => new(RandomNumberGenerator.GetBytes(Length));

    /// <exception cref="FormatException">Not 32 bytes.</exception>
    public static FleetKey Of(ReadOnlySpan<byte> key) =>
        key.Length == Length ? new FleetKey(key.ToArray()) : throw new FormatException($"A fleet key has {Length} bytes, not {key.Length}.");

    /// <summary>As its file holds it: 64 hexadecimal digits.</summary>
    /// <exception cref="FormatException">Something else; the message does not repeat it.</exception>
    public static FleetKey Parse(string text)
    {
        try
        {
            return Of(Convert.FromHexString(text.Trim()));
        }
        catch (FormatException)
        {
            throw new FormatException($"A fleet key is written as {2 * Length} hexadecimal digits.");
        }
    }

    public KeyedDigest Digest(ReadOnlySpan<byte> content)
    {
        Span<byte> digest = stackalloc byte[Model.Digest.Size];
        HMACSHA256.HashData(_key, content, digest);
        return new KeyedDigest(Id, new Digest(digest));
    }

    /// <summary>For content that is read piece by piece; its result belongs to <see cref="Id"/>.</summary>
    public IncrementalHash Start() => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);

    /// <summary>The key itself, for those who may have it.</summary>
    public byte[] ToArray() => [.. _key];

    /// <summary>The text for its file.</summary>
    public string ToText() => Convert.ToHexStringLower(_key);

    /// <summary>For logs: the id, never the key.</summary>
    public override string ToString() => $"key {Id:x16}";
}
