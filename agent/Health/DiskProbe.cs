using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary><c>disk</c>: what each mounted filesystem holds and has room for (statfs(2)).</summary>
/// <param name="root">The mount points are below it.</param>
/// <param name="space">Null: the kernel's own answers.</param>
/// <remarks>
/// As Telegraf is shipped, without filesystems that have no size and those in memory or made of others. Mounts are those of process 1:
/// a hardened service sees all of them read-only. Of mounts on top of each other the last is the one that is seen.
/// </remarks>
internal sealed class DiskProbe(string proc, string root, SpaceOf? space = null) : IProbe
{
    // What Telegraf ignores, and what the kernel makes up, which has no size.
    private static readonly HashSet<string> Ignored =
    [
        "tmpfs", "devtmpfs", "devfs", "iso9660", "overlay", "aufs", "squashfs",
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "efivarfs", "fusectl", "hugetlbfs", "mqueue",
        "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs",
    ];

    private readonly byte[] _mountinfo = KernelFile.PathOf(proc, "1/mountinfo");
    private readonly PatientSpace _space = new(space ?? FilesystemSpace.Of);
    private byte[] _known = [];
    private IReadOnlyList<MountedDisk> _disks = [];

    public string Name => "disk";

    public void Read(ProbeReading reading)
    {
        if (!KernelFile.TryRead(_mountinfo, out var file))
            return;
        using (file)
        {
            // Mounts change once in a while, and are looked at every few seconds.
            if (!file.Text.SequenceEqual(_known))
            {
                _disks = Parse(file.Text);
                _known = file.Text.ToArray();
            }
        }

        foreach (var (disk, errno, space) in _space.Of(_disks))
        {
            if (errno is { } error && error != 0)
                reading.Skip($"{disk.Tags[0].Value} can't be asked: {Errno.Text(error)}");
            else if (errno is null)
                reading.Skip($"{disk.Tags[0].Value} does not answer");
            else if (space.Total > 0)
                reading.Add(Name, Fields(space), disk.Tags);
        }
    }

    private List<MountedDisk> Parse(ReadOnlySpan<byte> mountinfo)
    {
        var disks = new Dictionary<string, MountedDisk?>(StringComparer.Ordinal);
        foreach (var range in mountinfo.Split((byte)'\n'))
        {
            if (Mount.Parse(mountinfo[range]) is not { } mount)
                continue;

            var path = Encoding.UTF8.GetString(mount.Point);
            var type = Encoding.UTF8.GetString(mount.Type);
            disks[path] = Ignored.Contains(type) || IsPart(mount, type) ? null : new MountedDisk(
                [.. Encoding.UTF8.GetBytes(root.TrimEnd('/')), .. mount.Point, 0],
                type,
                [
                    new HealthTag("path", path),
                    new HealthTag("device", Encoding.UTF8.GetString(mount.Source).Replace("/dev/", "", StringComparison.Ordinal)),
                    new HealthTag("fstype", type),
                    new HealthTag("mode", IsReadOnly(mount.Options) || IsReadOnly(mount.FilesystemOptions) ? "ro" : "rw"),
                ]);
        }

        return [.. disks.Values.OfType<MountedDisk>()];
    }

    /// <summary>A directory that is mounted once more; a subvolume is none.</summary>
    private static bool IsPart(Mount mount, string type) => !mount.Root.AsSpan().SequenceEqual("/"u8) && type != "btrfs";

    /// <remarks>A filesystem turns read-only by itself when its disk fails; its mounts do not.</remarks>
    private static bool IsReadOnly(ReadOnlySpan<byte> options)
    {
        foreach (var option in options.Split((byte)','))
        {
            if (options[option].SequenceEqual("ro"u8))
                return true;
        }

        return false;
    }

    private static HealthField[] Fields(in FilesystemSpace space)
    {
        var used = space.Total - space.Free;
        var usedInodes = space.Inodes - space.FreeInodes;
        return
        [
            HealthField.Of("total", space.Total),
            HealthField.Of("free", space.Available),
            HealthField.Of("used", used),
            HealthField.Of("inodes_total", space.Inodes),
            HealthField.Of("inodes_free", space.FreeInodes),
            HealthField.Of("inodes_used", usedInodes),
            HealthField.Of("used_percent", used + space.Available == 0 ? 0.0 : 100.0 * used / (used + space.Available)),
            HealthField.Of("inodes_used_percent", space.Inodes == 0 ? 0.0 : 100.0 * usedInodes / space.Inodes),
        ];
    }
}

/// <param name="Path">With the closing 0x00.</param>
/// <param name="Tags">The first is its mount point.</param>
internal sealed record MountedDisk(byte[] Path, string Type, HealthTag[] Tags);
