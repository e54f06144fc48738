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
                reading.Skip($"{disk.Point} can't be asked: {Errno.Text(error)}");
            else if (errno is null)
                reading.Skip($"{disk.Point} does not answer");
            else if (space.Total > 0)
                reading.Add(Name, Fields(space), disk.Tags);
        }
    }

    private List<MountedDisk> Parse(ReadOnlySpan<byte> mountinfo)
    {
        var mounts = new Dictionary<string, (Mount Mount, string Type)>(StringComparer.Ordinal);
        foreach (var range in mountinfo.Split((byte)'\n'))
        {
            if (Mount.Parse(mountinfo[range]) is { } mount)
                mounts[Encoding.UTF8.GetString(mount.Point)] = (mount, Encoding.UTF8.GetString(mount.Type));
        }

        // Those above others first.
        var disks = new Dictionary<string, MountedDisk>(StringComparer.Ordinal);
        foreach (var (point, (mount, type)) in mounts.OrderBy(mount => mount.Key.Length))
        {
            if (DiskTypes.IsIgnored(type) || IsPart(mount, type))
                continue;
            var hanging = Above(point).Where(above => mounts.TryGetValue(above, out var found) && !DiskTypes.LeadsOnAtOnce(found.Type)).ToList();
            var above = hanging.Find(disks.ContainsKey);
            disks[point] = new MountedDisk(
                [.. Encoding.UTF8.GetBytes(root.TrimEnd('/')), .. mount.Point, 0],
                point,
                [
                    new HealthTag("path", point),
                    new HealthTag("device", Encoding.UTF8.GetString(mount.Source).Replace("/dev/", "", StringComparison.Ordinal)),
                    new HealthTag("fstype", type),
                    new HealthTag("mode", IsReadOnly(mount.Options) || IsReadOnly(mount.FilesystemOptions) ? "ro" : "rw"),
                ])
            {
                MayHang = hanging.Count > 0 || !DiskTypes.AnswersAtOnce(type),
                Above = above,
                Depth = above is null ? 0 : disks[above].Depth + 1,
            };
        }

        return [.. mounts.Keys.Where(disks.ContainsKey).Select(point => disks[point])];
    }

    /// <summary>The directories on the way to one, the nearest first.</summary>
    private static IEnumerable<string> Above(string path)
    {
        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
            yield return path[..slash];
        if (path.Length > 1)
            yield return "/";
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
internal sealed record MountedDisk(byte[] Path, string Point, HealthTag[] Tags)
{
    /// <summary>It may be on another machine, or the way to it leads over one.</summary>
    public bool MayHang { get; init; }

    /// <summary>The nearest mount point on the way to it that may hang and is asked, too; null: there is none.</summary>
    public string? Above { get; init; }

    /// <summary>How many of those there are, one below the other.</summary>
    public int Depth { get; init; }
}
