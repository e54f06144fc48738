using System.Buffers.Text;
using System.Text;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Health;

/// <summary><c>net</c>: what each network interface carried since boot (proc_pid_net(5)), and its speed. Loopback and interfaces that are down are left out.</summary>
internal sealed class NetProbe(string proc, string sys) : IProbe
{
    // IFF_UP, IFF_LOOPBACK of netdevice(7).
    private const uint Up = 1, Loopback = 8;

    private const int ReceivedColumns = 8, SentColumns = 4;

    private readonly byte[] _dev = KernelFile.PathOf(proc, "net/dev");
    private readonly Dictionary<string, Interface> _interfaces = new(StringComparer.Ordinal);
    private int _round;

    public string Name => "net";

    public void Read(ProbeReading reading)
    {
        if (!KernelFile.TryRead(_dev, out var file))
            return;
        _round++;
        using (file)
        {
            foreach (var range in file.Text.Split((byte)'\n'))
                Parse(file.Text[range], reading);
        }

        // Containers come and go with interfaces of their own.
        foreach (var (name, known) in _interfaces)
        {
            if (known.Round != _round)
                _interfaces.Remove(name);
        }
    }

    /// <summary>A line such as <c>  eth0: 1234 5 …</c>; an alias has colons itself, and the heading none.</summary>
    private void Parse(ReadOnlySpan<byte> line, ProbeReading reading)
    {
        var colon = line.LastIndexOf((byte)':');
        if (colon < 0)
            return;

        var found = InterfaceOf(line[..colon].TrimStart((byte)' '));
        if (!found.IsCounted())
            return;

        Span<long> values = stackalloc long[ReceivedColumns + SentColumns];
        if (KernelColumns.Counters(line[(colon + 1)..], values) < values.Length)
            throw new FormatException($"net/dev has not all counters of {found.Tags[0].Value}.");
        reading.Add(
            Name,
            [
                HealthField.Of("bytes_sent", values[ReceivedColumns]),
                HealthField.Of("bytes_recv", values[0]),
                HealthField.Of("packets_sent", values[ReceivedColumns + 1]),
                HealthField.Of("packets_recv", values[1]),
                HealthField.Of("err_in", values[2]),
                HealthField.Of("err_out", values[ReceivedColumns + 2]),
                HealthField.Of("drop_in", values[3]),
                HealthField.Of("drop_out", values[ReceivedColumns + 3]),
                HealthField.Of("speed", found.Speed()),
            ],
            found.Tags);
    }

    private Interface InterfaceOf(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[256];
        text = text[..Encoding.UTF8.GetChars(name[..Math.Min(name.Length, text.Length)], text)];
        var interfaces = _interfaces.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!interfaces.TryGetValue(text, out var found))
            _interfaces[text.ToString()] = found = new Interface(sys, text.ToString());
        found.Round = _round;
        return found;
    }

    private sealed class Interface(string sys, string name)
    {
        private readonly byte[] _flags = KernelFile.PathOf(sys, $"class/net/{name}/flags");
        private readonly byte[] _speed = KernelFile.PathOf(sys, $"class/net/{name}/speed");

        public HealthTag[] Tags { get; } = [new HealthTag("interface", name)];

        /// <summary>The last read that met it.</summary>
        public int Round { get; set; }

        /// <summary>Written as <c>0x1003</c>. Where that can't be told, all but the usual loopback are.</summary>
        public bool IsCounted()
        {
            Span<byte> text = stackalloc byte[32];
            var read = KernelFiles.ReadStart(0, _flags, text);
            return read > 2 && Utf8Parser.TryParse(text[2..read], out uint flags, out _, 'x')
                ? (flags & Up) != 0 && (flags & Loopback) == 0
                : name != "lo";
        }

        /// <summary>Mbit/s; -1: it has none, or does not tell.</summary>
        public long Speed()
        {
            Span<byte> text = stackalloc byte[32];
            var read = KernelFiles.ReadStart(0, _speed, text);
            return read > 0 && Utf8Parser.TryParse(text[..read], out long speed, out _) && speed is >= 0 and < int.MaxValue ? speed : -1;
        }
    }
}
