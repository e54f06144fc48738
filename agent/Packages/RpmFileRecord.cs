using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Packages;

/// <summary>What a package says is to be verified of a file: <c>RPMVERIFY_…</c> of rpm's <c>rpmvf.h</c>.</summary>
[Flags]
internal enum RpmVerify : ulong
{
    Digest = 1,
    Size = 2,
    Target = 4,
    User = 8,
    Group = 16,
    Mode = 64,
}

/// <summary>One file's numbers in rpm's database, and what of it is compared: as <c>rpm --verify</c> does (rpm's <c>verify.c</c>).</summary>
/// <param name="mode">As in stat(2), with the type.</param>
/// <param name="flags"><c>RPMFILE_…</c> of <c>rpmfiles.h</c>.</param>
/// <param name="state"><c>RPMFILE_STATE_…</c>.</param>
internal readonly struct RpmFileRecord(ulong mode, ulong flags, ulong verify, ulong state)
{
    private const ulong Config = 1, MissingOk = 8, Ghost = 64;
    private const ulong Replaced = 1, NotInstalled = 2, NetShared = 3, WrongColor = 4;

    public FileType Type { get; } = FileStatus.TypeOf((ushort)mode);

    /// <summary>Some files of a package are left out on purpose, e.g. documentation or languages.</summary>
    public bool IsInstalled => state is not (NotInstalled or NetShared);

    public bool Compares(RpmVerify what)
    {
        // Replaced by another package's: it need only be there. Of another architecture's, its content may be the other's.
        if (state == Replaced)
            return false;
        if (state == WrongColor && what is RpmVerify.Digest or RpmVerify.Size)
            return false;

        // A ghost's content is whatever the machine made of it.
        if ((flags & Ghost) != 0 && what is RpmVerify.Digest or RpmVerify.Size or RpmVerify.Target)
            return false;
        return (verify & (ulong)what) != 0;
    }

    public PackageFile Of(EntryKey package, EntryKey path) => new(package, path)
    {
        IsConffile = (flags & Config) != 0,
        MayBeMissing = (flags & (MissingOk | Ghost)) != 0,
        Type = Compares(RpmVerify.Mode) && (flags & Ghost) == 0 ? Type : null,
        Mode = Compares(RpmVerify.Mode) && Type != FileType.Symlink ? (uint)(mode & 0xfff) : null,
    };
}
