using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Health;

/// <summary><c>kernel</c>: what it counted since boot, and the randomness it has (proc_stat(5), random(4)).</summary>
internal sealed class KernelProbe(string proc) : IProbe
{
    private static readonly (string Field, byte[] Source)[] Fields =
    [
        ("boot_time", "btime"u8.ToArray()),
        ("context_switches", "ctxt"u8.ToArray()),
        ("interrupts", "intr"u8.ToArray()),     // all of them; each sort follows
        ("processes_forked", "processes"u8.ToArray()),
    ];

    private static readonly byte[][] Sources = [.. Fields.Select(field => field.Source)];

    private readonly byte[] _stat = KernelFile.PathOf(proc, "stat");
    private readonly byte[] _entropy = KernelFile.PathOf(proc, "sys/kernel/random/entropy_avail");

    public string Name => "kernel";

    public void Read(ProbeReading reading)
    {
        if (!KernelFile.TryRead(_stat, out var file))
            return;

        Span<long> values = [-1, -1, -1, -1];
        using (file)
            KernelColumns.Named(file.Text, Sources, values);
        var fields = new List<HealthField>(Fields.Length + 1);
        for (var i = 0; i < Fields.Length; i++)
        {
            if (values[i] < 0)
                throw new FormatException($"stat lacks {System.Text.Encoding.ASCII.GetString(Fields[i].Source)}.");
            fields.Add(HealthField.Of(Fields[i].Field, values[i]));
        }

        if (KernelFile.TryRead(_entropy, out var entropy))
        {
            using (entropy)
            {
                var text = entropy.Text.TrimEnd((byte)'\n');
                if (KernelColumns.TryCounter(ref text, out var bits))
                    fields.Add(HealthField.Of("entropy_avail", bits));
            }
        }

        reading.Add(Name, [.. fields]);
    }
}
