using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Health;

/// <summary><c>swap</c>: its size in bytes, and in a second point what went in and out since boot (proc_meminfo(5), proc_vmstat(5)).</summary>
internal sealed class SwapProbe(string proc) : IProbe
{
    private static readonly byte[][] Sizes = ["SwapTotal"u8.ToArray(), "SwapFree"u8.ToArray()];
    private static readonly byte[][] Moves = ["pswpin"u8.ToArray(), "pswpout"u8.ToArray()];

    private readonly byte[] _meminfo = KernelFile.PathOf(proc, "meminfo");
    private readonly byte[] _vmstat = KernelFile.PathOf(proc, "vmstat");

    public string Name => "swap";

    public void Read(ProbeReading reading)
    {
        Span<long> values = [-1, -1];
        if (KernelFile.TryRead(_meminfo, out var file))
        {
            using (file)
                KernelColumns.Named(file.Text, Sizes, values);
            if (values is [var total and >= 0, var free and >= 0])
                reading.Add(Name, Size(total, free));
        }

        values.Fill(-1);
        if (!KernelFile.TryRead(_vmstat, out file))
            return;
        using (file)
            KernelColumns.Named(file.Text, Moves, values);
        if (values is [var pagesIn and >= 0, var pagesOut and >= 0])
            reading.Add(Name, [HealthField.Of("in", pagesIn * Environment.SystemPageSize), HealthField.Of("out", pagesOut * Environment.SystemPageSize)]);
    }

    private static HealthField[] Size(long total, long free) =>
    [
        HealthField.Of("total", total),
        HealthField.Of("used", total - free),
        HealthField.Of("free", free),
        HealthField.Of("used_percent", total == 0 ? 0.0 : 100.0 * (total - free) / total),
    ];
}
