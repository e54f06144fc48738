using System.Buffers.Text;
using System.Globalization;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary><c>cpu</c>: how the time of each processor was spent since the sample before, in percent (proc_stat(5)).</summary>
/// <remarks>A cpu that is new has no point yet; one that is gone, or whose counters ran backwards, is skipped and told.</remarks>
internal sealed class CpuProbe(string proc) : IProbe
{
    private const int Total = -1;

    private readonly byte[] _stat = KernelFile.PathOf(proc, "stat");
    private readonly Dictionary<int, HealthTag[]> _tags = [];
    private Dictionary<int, CpuTimes> _before = [], _now = [];

    public string Name => "cpu";

    public void Read(ProbeReading reading)
    {
        _now.Clear();
        if (!KernelFile.TryRead(_stat, out var file))
            return;
        using (file)
            Parse(file.Text, reading);

        foreach (var cpu in _before.Keys)
        {
            if (!_now.ContainsKey(cpu))
                reading.Skip($"{TagsOf(cpu)[0].Value} went away");
        }

        (_before, _now) = (_now, _before);
    }

    private void Parse(ReadOnlySpan<byte> text, ProbeReading reading)
    {
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (!line.StartsWith("cpu"u8))
                break;

            var number = Columns.NextWord(ref line)[3..];
            var cpu = Total;
            if (!number.IsEmpty && !Utf8Parser.TryParse(number, out cpu, out _))
                throw new FormatException("stat has a cpu without a number.");
            var times = _now[cpu] = CpuTimes.Parse(line);
            if (!_before.TryGetValue(cpu, out var before))
                continue;

            var delta = times.Minus(before);
            if (delta.IsBackwards)
                reading.Skip($"{TagsOf(cpu)[0].Value} has counters that ran backwards");
            else if (delta.Total > 0)
                reading.Add(Name, delta.Usage(), TagsOf(cpu));
        }
    }

    private HealthTag[] TagsOf(int cpu)
    {
        if (!_tags.TryGetValue(cpu, out var tags))
            _tags[cpu] = tags = [new HealthTag("cpu", cpu == Total ? "cpu-total" : string.Create(CultureInfo.InvariantCulture, $"cpu{cpu}"))];
        return tags;
    }
}
