using System.Security.Cryptography;
using Telemetry.Protocol.Cli;

namespace Telemetry.Collector.Cli;

/// <summary>Keys in files of whoever types the command; a private one never leaves the machine.</summary>
internal static class SigningKeyFile
{
    /// <summary>The public part of a key, public or private.</summary>
    /// <exception cref="CommandException">The file can't be read, or holds no key.</exception>
    public static async Task<string> PublicPemAsync(FileInfo file, CancellationToken cancellation)
    {
        using var key = await OpenAsync(file, cancellation);
        return key.ExportSubjectPublicKeyInfoPem();
    }

    /// <exception cref="CommandException">The file can't be read, or holds no private key.</exception>
    public static async Task<(string KeyId, byte[] Signature)> SignAsync(FileInfo file, ReadOnlyMemory<byte> statement, CancellationToken cancellation)
    {
        using var key = await OpenAsync(file, cancellation);
        try
        {
            var id = new Signing.PublicKey("", key.ExportSubjectPublicKeyInfo(), default).Id;
            return (id, key.SignData(statement.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }
        catch (CryptographicException)
        {
            throw new CommandException(ExitCode.No, $"{file.FullName} holds no private key, which is needed to sign.");
        }
    }

    private static async Task<ECDsa> OpenAsync(FileInfo file, CancellationToken cancellation)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(await File.ReadAllTextAsync(file.FullName, cancellation));
            return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            key.Dispose();
            throw new CommandException(ExitCode.No, $"{file.FullName} cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new CommandException(ExitCode.No, $"{file.FullName} is no ECDSA key on P-256 in PEM form, or is encrypted; 'openssl ecparam -name prime256v1 -genkey -noout' makes one.");
        }
    }
}
