using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>
/// Who can be reached: TCP sockets that listen, bound UDP sockets, unix sockets that listen at a path. <c>socket␀tcp␀ADDRESS␀PORT</c>
/// or <c>socket␀unix␀PATH</c>, with the programs that have it and their users: <c>/usr/sbin/sshd root</c>.
/// </summary>
/// <remarks>
/// A socket that systemd holds is named by systemd alone: the service behind it starts and stops with its visitors. One that no
/// process holds is the kernel's own (nfsd, WireGuard), shown as <c>-</c>. Where not all processes could be looked at, a socket
/// without a known holder is unreadable, never guessed.
/// </remarks>
/// <param name="root">For the names of users.</param>
internal sealed class SocketScanner(string root, string proc, TimeProvider clock) : IScanner
{
    private static readonly byte[] Unix = [.. EntryKey.Of("socket", "unix").Bytes, EntryKey.Separator];

    private readonly SocketHolders _holders = new(clock);

    public Scanner Identity { get; } = new(EntryKind.System, "socket", 1, 0);

    public bool Scan(ScanPass pass, CancellationToken cancellation)
    {
        using var files = KernelFiles.Open(proc);
        if (files is null || SocketTables.Read(files, pass) is not { } sockets)
            return false;

        // A socket without a holder was perhaps closed, or handed on, while we looked: look again.
        if (!_holders.Find(files, sockets.Select(socket => socket.Inode), cancellation))
        {
            sockets = SocketTables.Read(files, pass) ?? [];
            _holders.Find(files, sockets.Select(socket => socket.Inode), cancellation);
        }

        var users = AccountNames.Read(root, "passwd");
        var facts = new FactList();
        foreach (var group in sockets.GroupBy(socket => socket.Key))
        {
            if (Fact(group.Key, group.Select(socket => socket.Inode), users) is { } fact)
                facts[group.Key] = fact;
        }

        facts.HandOut(pass);
        return true;
    }

    private Fingerprint? Fact(EntryKey key, IEnumerable<ulong> inodes, AccountNames users)
    {
        var programs = new SortedSet<EntryKey>();
        var orphans = 0;
        foreach (var inode in inodes)
        {
            var holders = _holders[inode];
            orphans += holders.Count == 0 ? 1 : 0;
            foreach (var holder in holders.Where(IsSystemd) is var systemd && systemd.Any() ? systemd : holders)
                programs.Add(new EntryKey([.. Program(holder), (byte)' ', .. users.Of(holder.User).Bytes]));
        }

        if (orphans > 0 && !_holders.SawAll)
            return new Fingerprint { State = EntryState.Unreadable };
        if (programs.Count > 0)
            return new Fingerprint().WithValue(Joined(programs));

        // The kernel itself listens at no path: it was closed, or is a line that somebody's path with a newline made.
        return key.Bytes.StartsWith(Unix) ? null : new Fingerprint().WithValue("-"u8);
    }

    private static bool IsSystemd(SocketHolder holder) =>
        holder.Process.AsSpan().SequenceEqual("1/"u8) && Program(holder).EndsWith("/systemd"u8);

    /// <summary>An upgrade replaces a program while it runs: that the file is another one now, its own entry says.</summary>
    private static ReadOnlySpan<byte> Program(SocketHolder holder)
    {
        var deleted = " (deleted)"u8;
        return holder.Program.Bytes.EndsWith(deleted) ? holder.Program.Bytes[..^deleted.Length] : holder.Program.Bytes;
    }

    private static byte[] Joined(SortedSet<EntryKey> programs)
    {
        var text = new List<byte>();
        foreach (var program in programs)
        {
            if (text.Count > 0)
                text.AddRange(", "u8);
            text.AddRange(program.Bytes);
        }

        return [.. text];
    }
}
