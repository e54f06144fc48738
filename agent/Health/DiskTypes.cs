namespace Telemetry.Agent.Health;

/// <summary>What is known of a filesystem by its type's name.</summary>
internal static class DiskTypes
{
    private static readonly HashSet<string> OnDisks = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "msdos", "exfat", "ntfs3", "jfs", "reiserfs", "zfs", "bcachefs"];

    private static readonly HashSet<string> InMemory = ["rootfs", "ramfs", "tmpfs", "devtmpfs", "squashfs", "erofs", "iso9660"];

    // What Telegraf ignores, and what the kernel makes up, which has no size.
    private static readonly HashSet<string> Ignored =
    [
        "tmpfs", "devtmpfs", "devfs", "iso9660", "overlay", "aufs", "squashfs",
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "efivarfs", "fusectl", "hugetlbfs", "mqueue",
        "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs",
    ];

    public static bool IsIgnored(string type) => Ignored.Contains(type);

    /// <summary>Whether it answers at once: nothing else does for sure, whatever it is made of.</summary>
    public static bool AnswersAtOnce(string type) => OnDisks.Contains(type);

    /// <summary>Whether the way to what is mounted below it is: no directory of it is looked up on another machine.</summary>
    public static bool LeadsOnAtOnce(string type) => OnDisks.Contains(type) || InMemory.Contains(type);
}
