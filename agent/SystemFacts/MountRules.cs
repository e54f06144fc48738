using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Which mounts are facts, and what of them: not what differs between two boots, or comes and goes while nobody changes a thing.</summary>
internal sealed class MountRules(IReadOnlyList<Mount> mounts)
{
    // Below these paths mounts belong to sessions, containers, running services or packages that mount themselves.
    private static readonly byte[][] OthersBelow =
    [
        "/run/user"u8.ToArray(),            // one for each login
        "/run/credentials"u8.ToArray(),     // one for each service, while it runs
        "/run/docker"u8.ToArray(), "/run/containerd"u8.ToArray(), "/run/containers"u8.ToArray(), "/run/netns"u8.ToArray(),
        "/run/snapd"u8.ToArray(), "/snap"u8.ToArray(),
        "/var/lib/docker"u8.ToArray(), "/var/lib/containerd"u8.ToArray(), "/var/lib/containers"u8.ToArray(),
        "/var/lib/kubelet/pods"u8.ToArray(), "/var/snap"u8.ToArray(),
    ];

    // Mounted by the kernel when somebody looks there.
    private static readonly byte[] Tracing = "/sys/kernel/debug/tracing"u8.ToArray();

    private static readonly byte[] Deleted = "//deleted"u8.ToArray();

    // Sizes that are a part of the memory, and what one end of a connection made up.
    private static readonly string[] VolatileOptions = ["size=", "nr_inodes="], VolatileNetworkOptions = ["clientaddr=", "mountport="];

    private readonly List<Mount> _automounts = [.. mounts.Where(mount => mount.IsOf("autofs"u8))];

    public bool IsFact(Mount mount) =>
        // What is mounted on demand, at an automount point or below, is there when somebody used it, such as binfmt_misc.
        !_automounts.Exists(automount => mount.IsAt(automount.Point) || mount.IsBelow(automount.Point))
        && !mount.IsOf("nsfs"u8)
        && !mount.IsAt(Tracing)
        && !mount.Point.AsSpan().EndsWith(Deleted)
        && !Array.Exists(OthersBelow, path => mount.IsBelow(path));

    /// <summary><c>/dev/vda1[/sub] ext4 noatime,rw</c>: the source, with what of it is mounted when that is not all; the type; the options, sorted.</summary>
    public static byte[] Value(Mount mount)
    {
        byte[] part = mount.Root.AsSpan().SequenceEqual("/"u8) ? [] : [(byte)'[', .. mount.Root, (byte)']'];
        return [.. Source(mount), .. part, (byte)' ', .. mount.Type, (byte)' ', .. Options(mount)];
    }

    /// <remarks>Which loop device it is depends on the order of mounting.</remarks>
    private static byte[] Source(Mount mount) =>
        mount.Source.AsSpan().StartsWith("/dev/loop"u8) ? "/dev/loop"u8.ToArray() : SecretMask.OfOption(mount.Source);

    /// <remarks>Read-only, when either the mount or its filesystem is.</remarks>
    private static byte[] Options(Mount mount)
    {
        var options = new SortedSet<EntryKey>();
        Add(options, mount.Options, mount);
        Add(options, mount.FilesystemOptions, mount);
        if (options.Contains(EntryKey.Of("ro")))
            options.Remove(EntryKey.Of("rw"));

        var text = new List<byte>();
        foreach (var option in options)
        {
            if (text.Count > 0)
                text.Add((byte)',');
            text.AddRange(option.Bytes);
        }

        return [.. text];
    }

    private static void Add(SortedSet<EntryKey> options, ReadOnlySpan<byte> list, Mount mount)
    {
        string[] left = mount.IsOf("tmpfs"u8) || mount.IsOf("devtmpfs"u8) ? VolatileOptions
            : mount.Type.AsSpan().StartsWith("nfs"u8) ? VolatileNetworkOptions : [];
        foreach (var range in list.Split((byte)','))
        {
            var option = list[range];
            if (!option.IsEmpty && !StartsWithOneOf(option, left))
                options.Add(new EntryKey(SecretMask.OfOption(option)));
        }
    }

    private static bool StartsWithOneOf(ReadOnlySpan<byte> option, string[] begins)
    {
        foreach (var begin in begins)
        {
            if (option.StartsWith(System.Text.Encoding.UTF8.GetBytes(begin)))
                return true;
        }

        return false;
    }
}
