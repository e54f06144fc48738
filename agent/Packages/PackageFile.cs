using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>One path that a package owns, and what the package's own record says of it. What is null is not recorded, or not to be compared.</summary>
/// <param name="Package">Key of the package's entry.</param>
/// <param name="Path">Where it really lies below the root, as a key of the file tree.</param>
internal sealed record PackageFile(EntryKey Package, EntryKey Path)
{
    /// <summary>The package's own name for it, with a leading slash, where that is another one: a diversion, or a link on the way.</summary>
    public ByteText? ListedAs { get; init; }

    /// <summary>Meant to be edited here: a conffile of dpkg's, <c>%config</c> of rpm's.</summary>
    public bool IsConffile { get; init; }

    /// <summary>Need not exist: rpm's <c>%ghost</c> and <c>missingok</c>.</summary>
    public bool MayBeMissing { get; init; }

    public FileType? Type { get; init; }

    /// <summary>The 12 permission bits.</summary>
    public uint? Mode { get; init; }

    public ByteText? User { get; init; }

    public ByteText? Group { get; init; }

    /// <summary>Bytes.</summary>
    public ulong? Size { get; init; }

    /// <summary>Of a symbolic link.</summary>
    public ByteText? Target { get; init; }

    public PackageDigest? Digest { get; init; }
}

/// <summary>A digest of content as a package carries it.</summary>
/// <param name="Algorithm">Such as <c>MD5</c> or <c>SHA256</c>.</param>
internal readonly record struct PackageDigest(string Algorithm, ByteText Bytes)
{
    public override string ToString() => Convert.ToHexStringLower(Bytes.Bytes);

    /// <param name="hex">Two digits a byte.</param>
    /// <returns>Null when it is none, or of another length.</returns>
    public static PackageDigest? Parse(string algorithm, int length, ReadOnlySpan<byte> hex)
    {
        Span<byte> bytes = stackalloc byte[length];
        return hex.Length == 2 * length
            && Convert.FromHexString(hex, bytes, out _, out _) == System.Buffers.OperationStatus.Done
                ? new PackageDigest(algorithm, new ByteText(bytes))
                : null;
    }
}
