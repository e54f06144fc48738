using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary><c>system</c>: load, processors and users in one point, how long it has been up in a second, and that in words in a third.</summary>
/// <param name="utmp">Who is logged in, utmp(5); without one, users are left out.</param>
internal sealed class SystemProbe(string proc, string sys, string utmp) : IProbe
{
    private readonly byte[] _loadavg = KernelFile.PathOf(proc, "loadavg");
    private readonly byte[] _uptime = KernelFile.PathOf(proc, "uptime");
    private readonly byte[] _stat = KernelFile.PathOf(proc, "stat");
    private readonly byte[] _utmp = KernelFile.PathOf("/", utmp);
    private (int Logical, int Physical) _processors;

    public string Name => "system";

    public void Read(ProbeReading reading)
    {
        var fields = new List<HealthField>(7);
        Load(fields);
        Users(fields);
        Processors(fields);
        if (fields.Count > 0)
            reading.Add(Name, [.. fields]);
        Uptime(reading);
    }

    /// <summary>In words, as Telegraf says it.</summary>
    internal static string UptimeText(long seconds)
    {
        var (days, minutes) = (seconds / 86_400, seconds / 60);
        var clock = string.Create(CultureInfo.InvariantCulture, $"{minutes / 60 % 24,2}:{minutes % 60:00}");
        return days == 0 ? clock : string.Create(CultureInfo.InvariantCulture, $"{days} day{(days == 1 ? "" : "s")}, {clock}");
    }

    private void Load(List<HealthField> fields)
    {
        if (!KernelFile.TryRead(_loadavg, out var file))
            return;
        using (file)
        {
            var line = file.Text;
            foreach (var name in (ReadOnlySpan<string>)["load1", "load5", "load15"])
            {
                fields.Add(Utf8Parser.TryParse(Columns.NextWord(ref line), out double load, out _)
                    ? HealthField.Of(name, load)
                    : throw new FormatException("loadavg has no three loads."));
            }
        }
    }

    private void Users(List<HealthField> fields)
    {
        if (!KernelFile.TryRead(_utmp, out var file))
            return;
        using (file)
        {
            var (count, names) = LoginRecords.Count(file.Text);
            fields.Add(HealthField.Of("n_users", (long)count));
            fields.Add(HealthField.Of("n_unique_users", (long)names));
        }
    }

    private void Processors(List<HealthField> fields)
    {
        if (!KernelFile.TryRead(_stat, out var file))
            return;

        var logical = 0;
        using (file)
        {
            foreach (var range in file.Text.Split((byte)'\n'))
            {
                if (!file.Text[range].StartsWith("cpu"u8))
                    break;
                logical += file.Text[range] is [_, _, _, not (byte)' ', ..] ? 1 : 0;
            }
        }

        // They come and go once in a while.
        if (logical != _processors.Logical)
            _processors = (logical, Cores() is var cores and > 0 ? cores : logical);
        fields.Add(HealthField.Of("n_cpus", (long)_processors.Logical));
        fields.Add(HealthField.Of("n_physical_cpus", (long)_processors.Physical));
    }

    /// <summary>Processors with the same siblings are one core.</summary>
    private int Cores()
    {
        var folder = Path.Join(sys, "devices/system/cpu");
        if (!Directory.Exists(folder))
            return 0;

        var cores = new HashSet<string>(StringComparer.Ordinal);
        foreach (var cpu in Directory.EnumerateDirectories(folder, "cpu*"))
        {
            if (Siblings(cpu, "core_cpus_list") is { } siblings || (siblings = Siblings(cpu, "thread_siblings_list")) is not null)
                cores.Add(siblings);
        }

        return cores.Count;

        static string? Siblings(string cpu, string name)
        {
            if (!KernelFile.TryRead(KernelFile.PathOf(cpu, "topology/" + name), out var file))
                return null;
            using (file)
                return Encoding.ASCII.GetString(file.Text);
        }
    }

    private void Uptime(ProbeReading reading)
    {
        if (!KernelFile.TryRead(_uptime, out var file))
            return;

        double uptime;
        using (file)
        {
            if (!Utf8Parser.TryParse(file.Text, out uptime, out _))
                throw new FormatException("uptime has no seconds.");
        }

        reading.Add(Name, [HealthField.Of("uptime", (long)uptime)]);
        reading.Add(Name, [HealthField.Of("uptime_format", UptimeText((long)uptime))]);
    }
}
