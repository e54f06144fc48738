using System.Buffers.Text;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>A program that has a socket open, through its oldest process.</summary>
/// <param name="Link">The descriptor: <c>PID/fd/N</c>, with its closing 0x00.</param>
/// <param name="Process">The process that holds it, with its closing slash: <c>PID/</c>.</param>
/// <param name="Program">As the link says, perhaps with <c> (deleted)</c> behind it.</param>
/// <param name="User">The process's effective user.</param>
/// <param name="Started">Clock ticks since the machine's start.</param>
internal sealed record SocketHolder(byte[] Link, byte[] Process, ByteText Program, uint User, ulong Started);

/// <summary>Finds out which processes have sockets open.</summary>
/// <remarks>
/// That takes a look at every descriptor of every process. So what was found is kept, and as long as it still holds and no socket is
/// new, the look is taken once a minute only: who joins a socket that another has is seen a minute late.
/// </remarks>
internal sealed class SocketHolders(TimeProvider clock)
{
    private static readonly TimeSpan LongestTrust = TimeSpan.FromMinutes(1);

    private readonly byte[] _names = new byte[32 * 1024];
    private readonly byte[] _link = new byte[4096];
    private Dictionary<ulong, List<SocketHolder>> _known = [];
    private long? _lastLook;

    /// <summary>Whether every process could be looked at. If not, whom a socket belongs to may be hidden.</summary>
    public bool SawAll { get; private set; }

    public IReadOnlyList<SocketHolder> this[ulong inode] => _known[inode];

    /// <returns>Whether there are sockets without a holder that had none before either, or none without.</returns>
    public bool Find(KernelFiles proc, IEnumerable<ulong> inodes, CancellationToken cancellation)
    {
        var wanted = inodes.ToHashSet();
        if (_lastLook is { } last && clock.GetElapsedTime(last) < LongestTrust && wanted.All(inode => IsStillTrue(proc, inode)))
            return true;

        var orphansBefore = _known.Where(known => known.Value.Count == 0).Select(known => known.Key).ToHashSet();
        Look(proc, wanted, cancellation);
        return _known.All(known => known.Value.Count > 0 || orphansBefore.Contains(known.Key));
    }

    private bool IsStillTrue(KernelFiles proc, ulong inode)
    {
        if (!_known.TryGetValue(inode, out var holders))
            return false;

        foreach (var holder in holders)
        {
            if (InodeOf(proc.Descriptor, holder.Link, out var now) != 0 || now != inode)
                return false;
            if (LinkTarget.Read(proc.Descriptor, [.. holder.Process, .. "exe\0"u8], _link, out var length) != 0
                || !holder.Program.Bytes.SequenceEqual(_link.AsSpan(0, length)))
                return false;
        }

        return true;
    }

    private void Look(KernelFiles proc, HashSet<ulong> wanted, CancellationToken cancellation)
    {
        _known = wanted.ToDictionary(inode => inode, _ => new List<SocketHolder>());
        _lastLook = clock.GetTimestamp();
        SawAll = DirectoryNames.Read(proc.Descriptor, _names, Path.GetTempPath(), out var processes) == 0;
        using (processes)
        {
            while (processes.MoveNext())
            {
                cancellation.ThrowIfCancellationRequested();
                if (wanted.Count > 0 && processes.Current.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0)
                    Process(proc, [.. processes.Current, (byte)'/']);
            }
        }
    }

    private void Process(KernelFiles proc, byte[] process)
    {
        var errno = OpenFile.Directory(proc.Descriptor, [.. process, .. "fd\0"u8], out var descriptors);
        if (errno != 0)
        {
            SawAll &= Errno.IsGone(errno);
            return;
        }

        try
        {
            errno = DirectoryNames.Read(descriptors, _names, Path.GetTempPath(), out var names);
            using (names)
            {
                while (errno == 0 && names.MoveNext())
                {
                    errno = InodeOf(descriptors, names.CurrentWithEnd.Span, out var inode);
                    if (Errno.IsGone(errno))
                        errno = 0;
                    else if (errno == 0 && inode != 0 && _known.TryGetValue(inode, out var holders))
                        Holder(proc, process, names.CurrentWithEnd.Span, holders);
                }
            }

            SawAll &= errno == 0 || Errno.IsGone(errno);
        }
        finally
        {
            OpenFile.Close(descriptors);
        }
    }

    /// <summary>Of each program the oldest process stays: who answers on demand comes and goes.</summary>
    private void Holder(KernelFiles proc, byte[] process, ReadOnlySpan<byte> descriptor, List<SocketHolder> holders)
    {
        var errno = LinkTarget.Read(proc.Descriptor, [.. process, .. "exe\0"u8], out var program);
        if (errno == 0)
            errno = Add(proc, process, descriptor, holders, new ByteText(program));
        SawAll &= errno == 0 || Errno.IsGone(errno);
    }

    private static int Add(
        KernelFiles proc, byte[] process, ReadOnlySpan<byte> descriptor, List<SocketHolder> holders, ByteText program)
    {
        var errno = proc.Read([.. process, .. "stat\0"u8], out var stat);
        if (errno != 0)
            return errno;
        if (!ProcessStatus.Started(stat, out var started))
            return Errno.Invalid;

        var older = holders.FindIndex(holder => holder.Program == program);
        if (older >= 0 && holders[older].Started <= started)
            return 0;

        errno = proc.Read([.. process, .. "status\0"u8], out var status);
        if (errno != 0)
            return errno;
        if (!ProcessStatus.EffectiveUser(status, out var user))
            return Errno.Invalid;

        var holder = new SocketHolder([.. process, .. "fd/"u8, .. descriptor], process, program, user, started);
        if (older >= 0)
            holders[older] = holder;
        else
            holders.Add(holder);
        return 0;
    }

    /// <summary>A socket's link says <c>socket:[12345]</c>.</summary>
    /// <param name="inode">0 when it is something else.</param>
    private int InodeOf(int directory, ReadOnlySpan<byte> name, out ulong inode)
    {
        inode = 0;
        var errno = LinkTarget.Read(directory, name, _link, out var length);
        var link = _link.AsSpan(0, length);
        if (errno == 0 && link.StartsWith("socket:["u8) && !Utf8Parser.TryParse(link[8..], out inode, out _))
            inode = 0;
        return errno;
    }
}
