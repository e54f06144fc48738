using System.Buffers;
using System.Buffers.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary><c>netstat</c>: TCP sockets by their state, and UDP sockets (proc_pid_net(5)). Tables may be long: they are read in pieces.</summary>
internal sealed class NetstatProbe(string proc) : IProbe
{
    private const int PieceLength = 16 * 1024;

    // By the kernel's number of the state, net/tcp_states.h; what has none of them is "none". The twelfth is a request, which the table shows as 3.
    private static readonly string[] States =
    [
        "tcp_none", "tcp_established", "tcp_syn_sent", "tcp_syn_recv", "tcp_fin_wait1", "tcp_fin_wait2", "tcp_time_wait", "tcp_close",
        "tcp_close_wait", "tcp_last_ack", "tcp_listen", "tcp_closing",
    ];

    private readonly byte[] _tcp = KernelFile.PathOf(proc, "net/tcp"), _tcp6 = KernelFile.PathOf(proc, "net/tcp6");
    private readonly byte[] _udp = KernelFile.PathOf(proc, "net/udp"), _udp6 = KernelFile.PathOf(proc, "net/udp6");

    public string Name => "netstat";

    public void Read(ProbeReading reading)
    {
        Span<long> states = stackalloc long[States.Length];
        states.Clear();
        var isThere = Count(_tcp, states) | Count(_tcp6, states);
        var tcp = states.ToArray();
        states.Clear();
        isThere |= Count(_udp, states) | Count(_udp6, states);
        if (!isThere)
            return;

        var sockets = 0L;
        foreach (var count in states)
            sockets += count;
        var fields = new HealthField[States.Length + 1];
        for (var i = 0; i < States.Length; i++)
            fields[i] = HealthField.Of(States[i], tcp[i]);
        fields[^1] = HealthField.Of("udp_socket", sockets);
        reading.Add(Name, fields);
    }

    private static bool Count(byte[] path, Span<long> states)
    {
        var errno = OpenFile.Regular(0, path, out var descriptor);
        if (errno != 0)
            return Errno.IsGone(errno) ? false : throw new IOException(Text(path, errno));

        var buffer = ArrayPool<byte>.Shared.Rent(PieceLength);
        try
        {
            var (length, isHeading) = (0, true);
            while (true)
            {
                var read = OpenFile.Read(descriptor, buffer.AsSpan(length));
                if (read < 0)
                    throw new IOException(Text(path, -read));
                if (read == 0)
                    return true;
                length = Count(buffer.AsSpan(0, length + read), states, ref isHeading);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            OpenFile.Close(descriptor);
        }
    }

    /// <summary>Counts whole lines, and moves the rest to the front.</summary>
    /// <returns>The length of the rest.</returns>
    private static int Count(Span<byte> piece, Span<long> states, ref bool isHeading)
    {
        var rest = (ReadOnlySpan<byte>)piece;
        for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
        {
            if (!isHeading)
                states[StateOf(rest[..end])]++;
            isHeading = false;
        }

        // No line of these tables is as long as a piece.
        if (rest.Length == piece.Length)
            throw new FormatException("a table of sockets has a line without end.");
        rest.CopyTo(piece);
        return rest.Length;
    }

    /// <summary>A line such as <c>   0: 0100007F:0016 00000000:0000 0A …</c>.</summary>
    private static int StateOf(ReadOnlySpan<byte> line)
    {
        Columns.NextWord(ref line);
        Columns.NextWord(ref line);
        Columns.NextWord(ref line);
        return Utf8Parser.TryParse(Columns.NextWord(ref line), out byte state, out _, 'x') && state < States.Length ? state : 0;
    }

    private static string Text(byte[] path, int errno) => $"{System.Text.Encoding.UTF8.GetString(path.AsSpan()[..^1])} can't be read: {Errno.Text(errno)}";
}
