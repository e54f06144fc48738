using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>One package in dpkg's status file.</summary>
/// <param name="Version">Null only of a package whose first installation broke off.</param>
/// <param name="Status">What is wanted, whether an error is noted, and the state: three words.</param>
internal sealed record DpkgPackage(ByteText Name, ByteText Architecture, ByteText? Version, ByteText Status)
{
    /// <summary>May be installed for several architectures at once; its files in <c>info/</c> are named with the architecture.</summary>
    public bool IsMultiArchSame { get; init; }

    public IReadOnlyList<DpkgConffile> Conffiles { get; init; } = [];

    public EntryKey Key => KeyOf(Name, Architecture);

    public static EntryKey KeyOf(ByteText name, ByteText architecture) => EntryKey.Of("dpkg").Child(name.Bytes).Child(architecture.Bytes);

    public Fingerprint Fingerprint
    {
        get
        {
            var fingerprint = new Fingerprint { Status = Status };
            return Version is { } version ? fingerprint.WithVersion(version.Bytes) : fingerprint;
        }
    }
}

/// <summary>A configuration file as the package shipped it.</summary>
/// <param name="Path">With its leading slash.</param>
/// <param name="Md5">32 hexadecimal digits; <c>newconffile</c> while the package is not configured.</param>
internal readonly record struct DpkgConffile(ByteText Path, ByteText Md5)
{
    /// <summary>A line such as <c> /etc/a b 0123… obsolete</c>: a path may hold spaces, so it is read from its end.</summary>
    public static DpkgConffile? Parse(ReadOnlySpan<byte> line)
    {
        line = line.Trim(" \t"u8);
        line = Without(Without(line, " remove-on-upgrade"u8), " obsolete"u8);
        var space = line.LastIndexOf((byte)' ');
        return space > 0 && line[0] == (byte)'/' ? new DpkgConffile(new ByteText(line[..space]), new ByteText(line[(space + 1)..])) : null;
    }

    private static ReadOnlySpan<byte> Without(ReadOnlySpan<byte> line, ReadOnlySpan<byte> end) =>
        line.EndsWith(end) ? line[..^end.Length] : line;
}
