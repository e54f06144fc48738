namespace Telemetry.Protocol.Model;

/// <summary>
/// All compared attributes of one entry, whatever its kind. An attribute that is null is absent and takes no room.
/// Two entries are equal exactly when their encoded fingerprints are.
/// </summary>
/// <remarks>Times, inode numbers, link counts and a directory's size are no attributes: they differ where nothing does.</remarks>
public sealed partial record Fingerprint
{
    /// <summary>Longest encoded fingerprint, in bytes.</summary>
    public const int MaxLength = 512;

    /// <summary>Longest link target or value kept as it is, in bytes; of longer ones the digest is kept.</summary>
    public const int MaxTextLength = 255;

    public Fingerprint()
    {
    }

    public EntryState State { get; init; }

    // :: Files

    public FileType? Type { get; init; }

    /// <summary>The 12 permission bits with setuid, setgid and sticky; symlinks have none.</summary>
    public uint? Mode { get; init; }

    public uint? Uid { get; init; }

    public uint? Gid { get; init; }

    /// <summary>Bytes; regular files only.</summary>
    public ulong? Size { get; init; }

    /// <summary>SHA-256 of a regular file's content.</summary>
    public Digest? Content { get; init; }

    /// <summary>HMAC-SHA-256 of a secret file's content, in place of <see cref="Content"/>.</summary>
    public KeyedDigest? KeyedContent { get; init; }

    /// <summary>Target of a symbolic link, as the raw bytes stored in it.</summary>
    public ByteText? Target { get; init; }

    public Digest? TargetDigest { get; init; }

    /// <summary>Number of a device node: major in the upper 32 bits, minor in the lower.</summary>
    public ulong? Device { get; init; }

    /// <summary>Digest over the security-relevant extended attributes; absent when there are none.</summary>
    public Digest? Xattrs { get; init; }

    // :: Packages

    public ByteText? Version { get; init; }

    /// <summary>The package manager's own words, e.g. <c>install ok installed</c>.</summary>
    public ByteText? Status { get; init; }

    // :: Settings and system facts

    public ByteText? Value { get; init; }

    public Digest? ValueDigest { get; init; }

    public KeyedDigest? KeyedValue { get; init; }

    /// <summary>Attributes of a later minor version, kept as they came so that nothing is lost or misjudged.</summary>
    public ByteText? Unknown { get; private init; }

    public bool IsStable => State == EntryState.Stable;

    /// <summary>A version may be longer than an entry has room for; then its digest stands for it.</summary>
    public Fingerprint WithVersion(ReadOnlySpan<byte> version) =>
        version.Length <= MaxTextLength
            ? this with { Version = new ByteText(version) }
            : this with { ValueDigest = Digest.Of(version) };

    public Fingerprint WithTarget(ReadOnlySpan<byte> target) =>
        target.Length <= MaxTextLength
            ? this with { Target = new ByteText(target) }
            : this with { TargetDigest = Digest.Of(target) };

    public Fingerprint WithValue(ReadOnlySpan<byte> value) =>
        value.Length <= MaxTextLength
            ? this with { Value = new ByteText(value) }
            : this with { ValueDigest = Digest.Of(value) };
}

/// <summary>An HMAC-SHA-256 (RFC 2104) under a key that is named by eight bytes. Comparable only under the same key.</summary>
public readonly record struct KeyedDigest(ulong KeyId, Digest Digest);
