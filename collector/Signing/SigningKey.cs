using System.Security.Cryptography;
using System.Text;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Files;

namespace Telemetry.Collector.Signing;

/// <summary>What this collector signs with: lies in the data directory, readable by its owner only.</summary>
internal sealed class SigningKey : IDisposable
{
    public const string FileName = "signing.key";

    private readonly ECDsa _key;
    private readonly Lock _gate = new();

    private SigningKey(ECDsa key)
    {
        _key = key;
        Public = new PublicKey(PublicKey.Collector, key.ExportSubjectPublicKeyInfo(), default);
    }

    public PublicKey Public { get; }

    /// <summary>Reads the key, or makes one.</summary>
    /// <exception cref="StoreException">There is one that can't be read; a new one is made only where there is none.</exception>
    public static SigningKey LoadOrCreate(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        try
        {
            if (File.Exists(path))
            {
                var known = ECDsa.Create();
                known.ImportFromPem(File.ReadAllText(path));
                return new SigningKey(known);
            }

            var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            PrivateFile.Write(path, Encoding.ASCII.GetBytes(made.ExportPkcs8PrivateKeyPem() + "\n"));
            return new SigningKey(made);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"{path} cannot be used: {e.Message} Restore it from a copy; or move it away and a new key is made, which other collectors have to be told.");
        }
    }

    public Signature Sign(ReadOnlySpan<byte> statement)
    {
        lock (_gate)
            return new Signature(Public.Id, _key.SignData(statement, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    public void Dispose() => _key.Dispose();
}
