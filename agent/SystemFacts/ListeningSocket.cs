using System.Net;
using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>One socket that others can reach. Several may share a key: SO_REUSEPORT.</summary>
/// <param name="Inode">Of the socket's file, which its holders have open.</param>
internal readonly record struct ListeningSocket(EntryKey Key, ulong Inode)
{
    private static readonly EntryKey Tcp = EntryKey.Of("socket", "tcp"), Udp = EntryKey.Of("socket", "udp"), Unix = EntryKey.Of("socket", "unix");

    private const int IsListening = 0x0a, IsUnconnected = 0x07;     // TCP_LISTEN, TCP_CLOSE
    private const uint AcceptsConnections = 0x10000;                // __SO_ACCEPTCON

    // Sockets of sessions, of processes and of containers: named anew every time.
    private static readonly byte[][] OthersBelow =
    [
        "/tmp/"u8.ToArray(), "/var/tmp/"u8.ToArray(), "/dev/shm/"u8.ToArray(), "/home/"u8.ToArray(), "/root/"u8.ToArray(),
        "/run/user/"u8.ToArray(), "/run/docker/"u8.ToArray(), "/run/containerd/s/"u8.ToArray(),
    ];

    /// <summary>A line of <c>/proc/net/tcp</c> or <c>tcp6</c> (proc_net_tcp(5)): <c>sl local remote state …</c></summary>
    /// <param name="isPastListening">Those that listen come first: true on the first line of another state.</param>
    /// <returns>False when it is no such line.</returns>
    public static bool TryTcp(ReadOnlySpan<byte> line, out bool isPastListening, out ListeningSocket socket)
    {
        socket = default;
        var isRight = TryInternet(line, out var state, out var address, out var port, out _, out var inode);
        isPastListening = isRight && state != IsListening;
        if (isRight && !isPastListening)
            socket = Of(Tcp, address!, port, inode);
        return isRight;
    }

    /// <summary>A line of <c>/proc/net/udp</c> or <c>udp6</c>.</summary>
    /// <param name="ephemeral">
    /// Ports that the kernel gives to who doesn't ask for one: a client that asks about a name has one for a moment. What has bound
    /// one of these by its number can't be told from that.
    /// </param>
    /// <param name="isBound">Not connected, nor a client's.</param>
    public static bool TryUdp(ReadOnlySpan<byte> line, (int First, int Last) ephemeral, out bool isBound, out ListeningSocket socket)
    {
        socket = default;
        var isRight = TryInternet(line, out var state, out var address, out var port, out var remotePort, out var inode);
        isBound = isRight && state == IsUnconnected && remotePort == 0 && port > 0 && (port < ephemeral.First || port > ephemeral.Last);
        if (isBound)
            socket = Of(Udp, address!, port, inode);
        return isRight;
    }

    /// <summary>A line of <c>/proc/net/unix</c>, whose path is written as it is: a newline in it makes lines that are none.</summary>
    /// <returns>Whether it is one that listens at a path of this machine's own.</returns>
    public static bool TryUnix(ReadOnlySpan<byte> line, out ListeningSocket socket)
    {
        socket = default;
        var number = Columns.NextWord(ref line);
        Columns.NextWord(ref line);
        Columns.NextWord(ref line);
        var flags = Columns.NextWord(ref line);
        Columns.NextWord(ref line);
        Columns.NextWord(ref line);
        if (!number.EndsWith(":"u8)
            || !TryHex(flags, out var flag) || (flag & AcceptsConnections) == 0
            || !TryDecimal(Columns.NextWord(ref line), out var inode)
            || !line.StartsWith("/"u8))
            return false;

        // What is bound by a relative path nobody can say the place of; "@" begins an abstract name.
        foreach (var folder in OthersBelow)
        {
            if (line.StartsWith(folder))
                return false;
        }

        socket = new ListeningSocket(Unix.Child(line), inode);
        return true;
    }

    private static ListeningSocket Of(EntryKey protocol, IPAddress address, int port, ulong inode) =>
        new(protocol.Child(Encoding.ASCII.GetBytes(address.ToString())).Child(Encoding.ASCII.GetBytes($"{port}")), inode);

    private static bool TryInternet(
        ReadOnlySpan<byte> line, out int state, out IPAddress? address, out int port, out int remotePort, out ulong inode)
    {
        state = 0;
        remotePort = 0;
        inode = 0;
        Columns.NextWord(ref line);
        var isRight = TryEndPoint(Columns.NextWord(ref line), out address, out port)
            && TryEndPoint(Columns.NextWord(ref line), out _, out remotePort);
        isRight &= TryHex(Columns.NextWord(ref line), out var number);
        state = (int)number;

        // Queues, timer, retransmits, user, timeouts.
        for (var i = 0; i < 5; i++)
            Columns.NextWord(ref line);
        return isRight && TryDecimal(Columns.NextWord(ref line), out inode);
    }

    /// <summary><c>0100007F:1BA8</c>: words of four bytes as this machine has them in memory, and the port as a number.</summary>
    private static bool TryEndPoint(ReadOnlySpan<byte> text, out IPAddress? address, out int port)
    {
        address = null;
        port = 0;
        var colon = text.IndexOf((byte)':');
        if (colon is not (8 or 32) || !TryHex(text[(colon + 1)..], out var number) || number > ushort.MaxValue)
            return false;

        Span<byte> bytes = stackalloc byte[colon / 2];
        for (var i = 0; i < colon / 8; i++)
        {
            if (!TryHex(text.Slice(8 * i, 8), out var word))
                return false;
            BitConverter.TryWriteBytes(bytes[(4 * i)..], (uint)word);
        }

        address = new IPAddress(bytes);
        port = (int)number;
        return true;
    }

    private static bool TryHex(ReadOnlySpan<byte> text, out ulong number) =>
        System.Buffers.Text.Utf8Parser.TryParse(text, out number, out var length, 'x') && length == text.Length;

    private static bool TryDecimal(ReadOnlySpan<byte> text, out ulong number) =>
        System.Buffers.Text.Utf8Parser.TryParse(text, out number, out var length) && length == text.Length;
}
