using System.Security.Cryptography;
using System.Text;

namespace Telemetry.Collector.Identity;

/// <summary>The token of the first start: lies in the data directory, readable by its owner only, and opens the operators' listener.</summary>
internal sealed class AdminToken
{
    public const string FileName = "admin.token";

    /// <summary>Who decides, when it is this token that is used.</summary>
    public const string Holder = "admin";

    private const string Prefix = "tlm_";

    private readonly byte[] _digest;

    private AdminToken(string token) => _digest = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Reads the token, or makes one.</summary>
    public static AdminToken LoadOrCreate(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        try
        {
            using var stream = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            var token = Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
            stream.Write(Encoding.ASCII.GetBytes(token + "\n"));
            return new AdminToken(token);
        }
        catch (IOException) when (File.Exists(path))
        {
            var token = File.ReadAllText(path).Trim();
            return token.Length > 0
                ? new AdminToken(token)
                : throw new Storage.StoreException($"{path} is empty; delete it and a new token is made.");
        }
    }

    /// <summary>In time that does not depend on where the first difference is.</summary>
    public bool Matches(string presented) =>
        CryptographicOperations.FixedTimeEquals(_digest, SHA256.HashData(Encoding.UTF8.GetBytes(presented)));
}
