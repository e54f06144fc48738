using System.Buffers.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary><c>pressure</c>: for what share of the time somebody, or everybody, waited for a resource (the kernel's accounting/psi). Linux 4.20.</summary>
internal sealed class PressureProbe(string proc) : IProbe
{
    private readonly (byte[] Path, HealthTag[] Some, HealthTag[] Full)[] _resources = [.. ((string[])["cpu", "memory", "io"]).Select(resource => (
        KernelFile.PathOf(proc, "pressure/" + resource),
        new HealthTag[] { new("resource", resource), new("type", "some") },
        new HealthTag[] { new("resource", resource), new("type", "full") }))];

    public string Name => "pressure";

    public void Read(ProbeReading reading)
    {
        foreach (var (path, some, full) in _resources)
        {
            if (!KernelFile.TryRead(path, out var file))
                continue;
            using (file)
            {
                foreach (var range in file.Text.Split((byte)'\n'))
                {
                    var line = file.Text[range];
                    var type = Columns.NextWord(ref line);
                    if (!type.IsEmpty)
                        Parse(line, type.SequenceEqual("full"u8) ? full : some, reading);
                }
            }
        }
    }

    /// <summary>A line such as <c>some avg10=0.00 avg60=0.12 avg300=0.05 total=123456</c>; the total is in microseconds.</summary>
    private void Parse(ReadOnlySpan<byte> line, HealthTag[] tags, ProbeReading reading)
    {
        if (!TryAverage(ref line, "avg10="u8, out var avg10) || !TryAverage(ref line, "avg60="u8, out var avg60) || !TryAverage(ref line, "avg300="u8, out var avg300)
            || !line.StartsWith("total="u8) || !Utf8Parser.TryParse(line[6..], out long total, out _))
        {
            throw new FormatException($"pressure of {tags[0].Value} is not as the kernel documents it.");
        }

        reading.Add(Name, [HealthField.Of("avg10", avg10), HealthField.Of("avg60", avg60), HealthField.Of("avg300", avg300)], tags);
        reading.Add(Name, [HealthField.Of("total", total)], tags);
    }

    private static bool TryAverage(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out double value)
    {
        value = 0;
        var word = Columns.NextWord(ref line);
        return word.StartsWith(name) && Utf8Parser.TryParse(word[name.Length..], out value, out _);
    }
}
