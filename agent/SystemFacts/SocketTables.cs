using Microsoft.Win32.SafeHandles;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.SystemFacts;

/// <summary>The kernel's tables of sockets, below <c>/proc/net</c>.</summary>
internal sealed class SocketTables(KernelFiles proc, ScanPass pass)
{
    // ip_local_port_range where it can't be read: the kernel's default.
    private static readonly (int, int) UsualEphemeral = (32768, 60999);

    private readonly List<ListeningSocket> _sockets = [];

    /// <returns>Null when there is no table at all.</returns>
    public static List<ListeningSocket>? Read(KernelFiles proc, ScanPass pass)
    {
        var tables = new SocketTables(proc, pass);
        var ephemeral = tables.Ephemeral();
        var isThere = tables.Table("net/tcp\0"u8, "tcp", tables.Tcp);
        isThere |= tables.Table("net/tcp6\0"u8, "tcp", tables.Tcp);
        isThere |= tables.Table("net/udp\0"u8, "udp", lines => tables.Udp(lines, ephemeral));
        isThere |= tables.Table("net/udp6\0"u8, "udp", lines => tables.Udp(lines, ephemeral));
        isThere |= tables.Table("net/unix\0"u8, "unix", tables.Unix);
        return isThere ? tables._sockets : null;
    }

    private bool Table(ReadOnlySpan<byte> name, string protocol, Func<LineReader, bool> parse)
    {
        var errno = OpenFile.Regular(proc.Descriptor, name, out var descriptor);
        if (Errno.IsGone(errno))
            return false;

        if (errno != 0)
        {
            Gap(protocol, $"the table can't be read: {Errno.Text(errno)}");
            return true;
        }

        try
        {
            using var stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read, bufferSize: 0);
            var lines = new LineReader(stream);
            lines.Next(out _); // The heading.
            if (!parse(lines))
                Gap(protocol, $"line {lines.Number} is not about a socket");
        }
        catch (IOException e)
        {
            Gap(protocol, $"the table can't be read: {e.Message}");
        }

        return true;
    }

    /// <summary>Ends at the first that does not listen: behind it come all connections, which may be many.</summary>
    private bool Tcp(LineReader lines)
    {
        while (lines.Next(out var line))
        {
            if (!ListeningSocket.TryTcp(line, out var isPastListening, out var socket))
                return false;
            if (isPastListening)
                break;
            _sockets.Add(socket);
        }

        return true;
    }

    private bool Udp(LineReader lines, (int, int) ephemeral)
    {
        while (lines.Next(out var line))
        {
            if (!ListeningSocket.TryUdp(line, ephemeral, out var isBound, out var socket))
                return false;
            if (isBound)
                _sockets.Add(socket);
        }

        return true;
    }

    private bool Unix(LineReader lines)
    {
        while (lines.Next(out var line))
        {
            if (ListeningSocket.TryUnix(line, out var socket))
                _sockets.Add(socket);
        }

        return true;
    }

    private (int First, int Last) Ephemeral()
    {
        if (proc.Read("sys/net/ipv4/ip_local_port_range\0"u8, out var content) != 0)
            return UsualEphemeral;
        var numbers = System.Text.Encoding.ASCII.GetString(content).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return numbers.Length == 2 && int.TryParse(numbers[0], out var first) && int.TryParse(numbers[1], out var last)
            ? (first, last)
            : UsualEphemeral;
    }

    private void Gap(string protocol, string reason) => pass.Gap(EntryKey.Of("socket", protocol), reason);
}
