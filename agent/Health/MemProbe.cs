using System.Globalization;

namespace Telemetry.Agent.Health;

/// <summary><c>mem</c>: memory in bytes (proc_meminfo(5)), under Telegraf's names.</summary>
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

    public string Name => "mem";

    public IReadOnlyList<HealthPoint> Read()
    {
        var values = ReadFile();
        if (!values.TryGetValue("MemTotal", out var total) || total == 0 || !values.TryGetValue("MemAvailable", out var available))
            throw new FormatException("meminfo lacks MemTotal or MemAvailable.");

        var used = total - available;
        var fields = Fields.Select(field => HealthField.Of(field.Field, values.GetValueOrDefault(field.Source)))
            .Append(HealthField.Of("used", used))
            .Append(HealthField.Of("used_percent", 100.0 * used / total))
            .Append(HealthField.Of("available_percent", 100.0 * available / total));
        return [new HealthPoint(Name, [.. fields])];
    }

    /// <summary>Lines like <c>MemTotal:  16318876 kB</c>; counts of pages have no unit.</summary>
    private Dictionary<string, long> ReadFile()
    {
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(Path.Combine(proc, "meminfo")))
        {
            var columns = line.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length < 2 || !long.TryParse(columns[1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                continue;
            values[columns[0]] = columns.Length > 2 && columns[2] == "kB" ? value * 1024 : value;
        }

        return values;
    }
}
