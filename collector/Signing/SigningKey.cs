using System.Security.Cryptography;
using System.Text;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Files;

namespace Telemetry.Collector.Signing;

/// <summary>What this collector signs with: lies in the data directory, readable by its owner only.</summary>
internal sealed class SigningKey : IDisposable
{
    public const string FileName = "signing.key";

    /// <summary>Is there once this collector signed what it had: a key that is made anew does not do that again.</summary>
    public const string MarkName = "signing.begun";

    private readonly string _mark;
    private readonly ECDsa _key;
    private readonly Lock _gate = new();

    private SigningKey(string dataDirectory, ECDsa key)
    {
        _mark = Path.Combine(dataDirectory, MarkName);
        _key = key;
        Public = new PublicKey(PublicKey.Collector, key.ExportSubjectPublicKeyInfo(), default);
    }

    public PublicKey Public { get; }

    /// <summary>Whether what there was before there were signatures has been signed. Beside the key, and as hard to write as that.</summary>
    public bool HasSigned => File.Exists(_mark);

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
                return new SigningKey(dataDirectory, known);
            }

            var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            PrivateFile.Write(path, Encoding.ASCII.GetBytes(made.ExportPkcs8PrivateKeyPem() + "\n"));
            return new SigningKey(dataDirectory, made);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"{path} cannot be used: {e.Message} Restore it from a copy; or move it away and a new key is made, which other collectors have to be told.");
        }
    }

    /// <exception cref="StoreException">That can't be noted.</exception>
    public void NoteSigned()
    {
        try
        {
            PrivateFile.Write(_mark, "What this collector had before there were signatures is signed. Without this file it would sign all there is once more.\n"u8.ToArray());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"{_mark} cannot be written: {e.Message} Free some space, or make the data directory writable, and start again.");
        }
    }

    public Signature Sign(ReadOnlySpan<byte> statement)
    {
        lock (_gate)
            return new Signature(Public.Id, _key.SignData(statement, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    public void Dispose() => _key.Dispose();
}
