namespace Telemetry.Agent.Packages;

/// <summary>Digest algorithms as rpm numbers them: RFC 4880, section 9.4.</summary>
internal static class RpmDigests
{
    public const int Md5 = 1;

    /// <returns>Null when there is none, or it is of an algorithm that this program does not have.</returns>
    public static PackageDigest? Parse(int algorithm, ReadOnlySpan<byte> hex) => algorithm switch
    {
        Md5 => PackageDigest.Parse("MD5", 16, hex),
        2 => PackageDigest.Parse("SHA1", 20, hex),
        8 => PackageDigest.Parse("SHA256", 32, hex),
        9 => PackageDigest.Parse("SHA384", 48, hex),
        10 => PackageDigest.Parse("SHA512", 64, hex),
        _ => null,
    };
}
