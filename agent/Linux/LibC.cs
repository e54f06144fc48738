using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>Calls of the C library as they are. What their errors mean is decided by the types around them.</summary>
internal static unsafe partial class LibC
{
    /// <summary>openat(2). Linux 2.6.16.</summary>
    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    internal static partial int OpenAt(int directory, byte* path, int flags, int mode);

    /// <summary>close(2). Its error is of no use here: nothing was written.</summary>
    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int descriptor);

    /// <summary>access(2).</summary>
    [LibraryImport("libc", EntryPoint = "access", SetLastError = true)]
    internal static partial int Access(byte* path, int mode);

    /// <summary>read(2).</summary>
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int descriptor, byte* buffer, nint count);

    /// <summary>write(2).</summary>
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int descriptor, byte* buffer, nint count);

    /// <summary>lseek(2), with SEEK_DATA and SEEK_HOLE. Linux 3.1.</summary>
    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(int descriptor, long offset, int whence);

    /// <summary>statx(2). Linux 4.11, glibc 2.28.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    internal static partial int StatX(int directory, byte* path, int flags, uint mask, StatXBuffer* buffer);

    /// <summary>fstatfs(2).</summary>
    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    internal static partial int StatFs(int descriptor, StatFsBuffer* buffer);

    /// <summary>statfs(2). Waits as long as a server does that is away.</summary>
    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true)]
    internal static partial int StatFsOf(byte* path, StatFsBuffer* buffer);

    /// <summary>syscall(2): for getdents64(2), which has no wrapper before glibc 2.30.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint SystemCall(nint number, nint first, nint second, nint third);

    /// <summary>readlinkat(2). Linux 2.6.16.</summary>
    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    internal static partial nint ReadLinkAt(int directory, byte* path, byte* buffer, nint size);

    /// <summary>flistxattr(2).</summary>
    [LibraryImport("libc", EntryPoint = "flistxattr", SetLastError = true)]
    internal static partial nint ListXattrs(int descriptor, byte* list, nint size);

    /// <summary>llistxattr(2).</summary>
    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    internal static partial nint ListXattrs(byte* path, byte* list, nint size);

    /// <summary>fgetxattr(2).</summary>
    [LibraryImport("libc", EntryPoint = "fgetxattr", SetLastError = true)]
    internal static partial nint GetXattr(int descriptor, byte* name, byte* value, nint size);

    /// <summary>lgetxattr(2).</summary>
    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    internal static partial nint GetXattr(byte* path, byte* name, byte* value, nint size);

    /// <summary>getrlimit(2).</summary>
    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    internal static partial int GetLimit(int resource, ResourceLimit* limit);

    /// <summary>setrlimit(2).</summary>
    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    internal static partial int SetLimit(int resource, ResourceLimit* limit);

    /// <summary>prlimit(2).</summary>
    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    internal static partial int SetLimitOf(int process, int resource, ResourceLimit* limit, ResourceLimit* before);

    /// <summary>setpriority(2); on Linux of one thread.</summary>
    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    internal static partial int SetPriority(int which, int who, int priority);

    /// <summary>fcntl(2) with a number.</summary>
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(int descriptor, int command, nint argument);

    /// <summary>dup3(2).</summary>
    [LibraryImport("libc", EntryPoint = "dup3", SetLastError = true)]
    internal static partial int Duplicate(int descriptor, int newDescriptor, int flags);

    /// <summary>signal(2).</summary>
    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    internal static partial nint Signal(int signal, nint handler);

    /// <summary>fanotify_init(2).</summary>
    [LibraryImport("libc", EntryPoint = "fanotify_init", SetLastError = true)]
    internal static partial int FanotifyInit(uint flags, uint eventFlags);

    /// <summary>fanotify_mark(2).</summary>
    [LibraryImport("libc", EntryPoint = "fanotify_mark", SetLastError = true)]
    internal static partial int FanotifyMark(int group, uint flags, ulong mask, int directory, byte* path);

    /// <summary>inotify_init1(2). Linux 2.6.27.</summary>
    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    internal static partial int InotifyInit(int flags);

    /// <summary>inotify_add_watch(2).</summary>
    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true)]
    internal static partial int InotifyAdd(int group, byte* path, uint mask);

    /// <summary>inotify_rm_watch(2).</summary>
    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    internal static partial int InotifyRemove(int group, int watch);

    /// <summary>open_by_handle_at(2).</summary>
    [LibraryImport("libc", EntryPoint = "open_by_handle_at", SetLastError = true)]
    internal static partial int OpenByHandle(int mount, byte* handle, int flags);

    /// <summary>madvise(2).</summary>
    [LibraryImport("libc", EntryPoint = "madvise")]
    internal static partial int Advise(void* address, nuint length, int advice);

    /// <summary>mallopt(3), glibc.</summary>
    [LibraryImport("libc", EntryPoint = "mallopt")]
    internal static partial int SetHeapOption(int option, int value);

    /// <summary>malloc_trim(3), glibc: gives free memory of the C heap back.</summary>
    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    internal static partial int TrimHeap(nuint pad);

    /// <summary>pipe2(2). Linux 2.6.27.</summary>
    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    internal static partial int Pipe(int* descriptors, int flags);

    /// <summary>poll(2).</summary>
    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    /// <summary>kill(2); a negative process means a process group.</summary>
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);

    /// <summary>waitid(2), with WNOWAIT. Linux 2.6.9.</summary>
    [LibraryImport("libc", EntryPoint = "waitid", SetLastError = true)]
    internal static partial int WaitId(int idType, int process, byte* information, int options);

    /// <summary>waitpid(2).</summary>
    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    internal static partial int WaitPid(int process, int* status, int options);

    /// <summary>posix_spawn(3): returns the errno. With POSIX_SPAWN_SETSID, glibc 2.26.</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    internal static partial int Spawn(int* process, byte* path, byte* actions, byte* attributes, byte** arguments, byte** environment);

    /// <summary>posix_spawn_file_actions_init(3); the structure has 80 bytes.</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    internal static partial int SpawnActionsInit(byte* actions);

    /// <summary>posix_spawn_file_actions_destroy(3).</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    internal static partial int SpawnActionsDestroy(byte* actions);

    /// <summary>posix_spawn_file_actions_addopen(3).</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen")]
    internal static partial int SpawnActionsOpen(byte* actions, int descriptor, byte* path, int flags, int mode);

    /// <summary>posix_spawn_file_actions_adddup2(3).</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    internal static partial int SpawnActionsDuplicate(byte* actions, int descriptor, int newDescriptor);

    /// <summary>posix_spawnattr_init(3); the structure has 336 bytes.</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    internal static partial int SpawnAttributesInit(byte* attributes);

    /// <summary>posix_spawnattr_destroy(3).</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    internal static partial int SpawnAttributesDestroy(byte* attributes);

    /// <summary>posix_spawnattr_setflags(3).</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    internal static partial int SpawnAttributesFlags(byte* attributes, short flags);

    /// <summary>posix_spawnattr_setsigdefault(3); the set has 128 bytes.</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    internal static partial int SpawnAttributesDefaultSignals(byte* attributes, byte* signals);

    /// <summary>posix_spawnattr_setsigmask(3); the set has 128 bytes.</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    internal static partial int SpawnAttributesSignalMask(byte* attributes, byte* signals);

    /// <summary>struct pollfd.</summary>
    internal struct PollEntry
    {
        public int Descriptor;
        public short Wanted, Found;
    }

    /// <summary>geteuid(2).</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    /// <summary>setgroups(2), in all threads.</summary>
    [LibraryImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    internal static partial int SetGroups(nuint count, uint* groups);

    /// <summary>setresgid(2), in all threads.</summary>
    [LibraryImport("libc", EntryPoint = "setresgid", SetLastError = true)]
    internal static partial int SetGroupIds(uint real, uint effective, uint saved);

    /// <summary>setresuid(2), in all threads.</summary>
    [LibraryImport("libc", EntryPoint = "setresuid", SetLastError = true)]
    internal static partial int SetUserIds(uint real, uint effective, uint saved);

    /// <summary>prctl(2). No new privileges: Linux 3.5.</summary>
    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    internal static partial int Control(int option, nuint first, nuint second, nuint third, nuint fourth);

    internal struct ResourceLimit
    {
        public ulong Soft, Hard;
    }

    /// <summary>struct statfs; the fields that are not used are left out.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    internal struct StatFsBuffer
    {
        [FieldOffset(0)] public long Type;
        [FieldOffset(8)] public long BlockSize;
        [FieldOffset(16)] public ulong Blocks;
        [FieldOffset(24)] public ulong FreeBlocks;
        [FieldOffset(32)] public ulong AvailableBlocks;
        [FieldOffset(40)] public ulong Files;
        [FieldOffset(48)] public ulong FreeFiles;
        [FieldOffset(56)] public ulong Id;
    }

    /// <summary>struct statx; the fields that are not used are left out.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatXBuffer
    {
        [FieldOffset(16)] public uint Links;
        [FieldOffset(20)] public uint Uid;
        [FieldOffset(24)] public uint Gid;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(48)] public ulong Blocks;
        [FieldOffset(96)] public long ChangedSeconds;
        [FieldOffset(104)] public uint ChangedNanoseconds;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
        [FieldOffset(128)] public uint NodeMajor;
        [FieldOffset(132)] public uint NodeMinor;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }
}
