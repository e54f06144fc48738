using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary><c>diskio</c>: what each block device did since boot, and from the second look on how busy it was (the kernel's admin-guide/iostats).</summary>
/// <remarks>A device that never did anything has no point: there are eight loop devices on machines that use none.</remarks>
internal sealed class DiskIoProbe(string proc, TimeProvider clock) : IProbe
{
    private const int Columns14 = 11;  // Of version 14 columns, without number and name.
    private const int SectorBytes = 512;

    private readonly byte[] _diskstats = KernelFile.PathOf(proc, "diskstats");
    private readonly Dictionary<string, Device> _devices = new(StringComparer.Ordinal);
    private long _readAt;
    private int _round;

    public string Name => "diskio";

    public void Read(ProbeReading reading)
    {
        if (!KernelFile.TryRead(_diskstats, out var file))
            return;

        var now = clock.GetTimestamp();
        var elapsed = _round == 0 ? TimeSpan.Zero : clock.GetElapsedTime(_readAt, now);
        _readAt = now;
        _round++;
        using (file)
        {
            foreach (var range in file.Text.Split((byte)'\n'))
                Parse(file.Text[range], elapsed, reading);
        }

        foreach (var (name, device) in _devices)
        {
            if (device.Round != _round)
                _devices.Remove(name);
        }
    }

    private void Parse(ReadOnlySpan<byte> line, TimeSpan elapsed, ProbeReading reading)
    {
        Columns.NextWord(ref line);
        Columns.NextWord(ref line);
        var name = Columns.NextWord(ref line);
        Span<long> counters = stackalloc long[Columns14];
        if (KernelColumns.Counters(line, counters) < Columns14 || counters.IndexOfAnyExcept(0) < 0)
            return;

        var device = DeviceOf(name);
        var isKnown = device.Round == _round - 1 && device.Round > 0;
        var now = new DiskCounters(counters);
        var busy = default(HealthField[]);
        if (isKnown && now.IsBehind(device.Before))
            reading.Skip($"{device.Tags[0].Value} has counters that ran backwards: how busy it was is not known");
        else if (isKnown)
            busy = now.Busy(device.Before, elapsed);
        (device.Before, device.Round) = (now, _round);
        reading.Add(Name, busy is null ? now.ToFields(SectorBytes) : [.. now.ToFields(SectorBytes), .. busy], device.Tags);
    }

    private Device DeviceOf(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[256];
        text = text[..Encoding.UTF8.GetChars(name[..Math.Min(name.Length, text.Length)], text)];
        var devices = _devices.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!devices.TryGetValue(text, out var device))
            _devices[text.ToString()] = device = new Device([new HealthTag("name", text.ToString())]);
        return device;
    }

    private sealed class Device(HealthTag[] tags)
    {
        public HealthTag[] Tags { get; } = tags;

        public DiskCounters Before { get; set; }

        /// <summary>In which it was seen last.</summary>
        public int Round { get; set; }
    }
}
