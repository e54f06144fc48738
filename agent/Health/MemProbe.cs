using System.Text;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Health;

/// <summary><c>mem</c>: memory in bytes (proc_meminfo(5)), under Telegraf's names.</summary>
/// <remarks>As Telegraf has it, <c>cached</c> is with what the slabs could give back, and counts of huge pages are no bytes.</remarks>
internal sealed class MemProbe(string proc) : IProbe
{
    // Field, and its name in the file.
    private static readonly (string Field, string Source)[] Fields =
    [
        ("total", "MemTotal"), ("available", "MemAvailable"), ("free", "MemFree"), ("active", "Active"), ("inactive", "Inactive"),
        ("buffered", "Buffers"), ("cached", "Cached"), ("commit_limit", "CommitLimit"), ("committed_as", "Committed_AS"),
        ("dirty", "Dirty"), ("high_free", "HighFree"), ("high_total", "HighTotal"), ("huge_pages_free", "HugePages_Free"),
        ("huge_page_size", "Hugepagesize"), ("huge_pages_total", "HugePages_Total"), ("low_free", "LowFree"),
        ("low_total", "LowTotal"), ("mapped", "Mapped"), ("page_tables", "PageTables"), ("shared", "Shmem"), ("slab", "Slab"),
        ("sreclaimable", "SReclaimable"), ("sunreclaim", "SUnreclaim"), ("swap_cached", "SwapCached"), ("swap_free", "SwapFree"),
        ("swap_total", "SwapTotal"), ("vmalloc_chunk", "VmallocChunk"), ("vmalloc_total", "VmallocTotal"),
        ("vmalloc_used", "VmallocUsed"), ("write_back", "Writeback"), ("write_back_tmp", "WritebackTmp"),
    ];

    private static readonly byte[][] Sources = [.. Fields.Select(field => Encoding.ASCII.GetBytes(field.Source))];

    private const int Total = 0, Available = 1;

    private static readonly int Cached = Array.FindIndex(Fields, field => field.Field == "cached");
    private static readonly int Reclaimable = Array.FindIndex(Fields, field => field.Field == "sreclaimable");

    private readonly byte[] _meminfo = KernelFile.PathOf(proc, "meminfo");

    public string Name => "mem";

    public void Read(ProbeReading reading)
    {
        if (!KernelFile.TryRead(_meminfo, out var file))
            return;

        Span<long> values = stackalloc long[Sources.Length];
        values.Clear();
        values[Available] = -1;
        using (file)
            KernelColumns.Named(file.Text, Sources, values);

        // None is available when it is most needed.
        if (values[Total] == 0 || values[Available] < 0)
            throw new FormatException("meminfo lacks MemTotal or MemAvailable.");

        values[Cached] += values[Reclaimable];
        var used = values[Total] - values[Available];
        var fields = new HealthField[Sources.Length + 3];
        for (var i = 0; i < Sources.Length; i++)
            fields[i] = HealthField.Of(Fields[i].Field, values[i]);
        fields[^3] = HealthField.Of("used", used);
        fields[^2] = HealthField.Of("used_percent", 100.0 * used / values[Total]);
        fields[^1] = HealthField.Of("available_percent", 100.0 * values[Available] / values[Total]);
        reading.Add(Name, fields);
    }
}
