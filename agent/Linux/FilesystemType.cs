namespace Telemetry.Agent.Linux;

/// <summary>Tells filesystems that hold this machine's own files from those of other machines and those the kernel makes up.</summary>
internal static class FilesystemType
{
    // f_type of statfs(2), from linux/magic.h and the filesystems' own headers.
    private static readonly HashSet<uint> NotOurs =
    [
        // On other machines: nfs, smb, smb2, cifs, ncp, afs, afs (kernel), coda, ceph, 9p, gfs2, ocfs2, lustre, gpfs.
        0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x564c, 0x5346414f, 0x6b414653, 0x73757245, 0x00c36400, 0x01021997, 0x01161970,
        0x7461636f, 0x0bd00bd0, 0x47504653,

        // A program answers, perhaps never, perhaps from another machine: fuse. Mounted when touched: autofs.
        0x65735546, 0x0187,

        // Made up: proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, selinux, smack, pstore, efivarfs, bpf, configfs,
        // binfmt_misc, mqueue, devpts, hugetlbfs, rpc_pipefs, nfsd, nsfs, fusectl.
        0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0x73636673, 0xf97cff8c, 0x43415d53, 0x6165676c,
        0xde5e81e4, 0xcafe4a11, 0x62656570, 0x42494e4d, 0x19800202, 0x1cd1, 0x958458f6, 0x67596969, 0x6e667364, 0x6e736673,
        0x65735543,
    ];

    /// <summary>Whether the files of an open directory are this machine's own.</summary>
    public static unsafe bool IsLocal(int descriptor)
    {
        LibC.StatFsBuffer buffer;
        return LibC.StatFs(descriptor, &buffer) == 0 && !NotOurs.Contains((uint)buffer.Type);
    }

    /// <summary>What fanotify(7) names the filesystem of an open directory by; 0 when it can't be told.</summary>
    public static unsafe ulong IdOf(int descriptor)
    {
        LibC.StatFsBuffer buffer;
        return LibC.StatFs(descriptor, &buffer) == 0 ? buffer.Id : 0;
    }
}
