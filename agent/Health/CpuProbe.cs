using System.Globalization;

namespace Telemetry.Agent.Health;

/// <summary><c>cpu</c>: how the time of each processor was spent since the sample before, in percent (proc_stat(5)).</summary>
/// <remarks>
/// Telegraf's formulas: total is the sum of all but guest times, which the kernel counts in user and nice already; usage_user and
/// usage_nice are without them. A cpu that is new, gone, or whose counters ran backwards is left out of one sample.
/// </remarks>
internal sealed class CpuProbe(string proc) : IProbe
{
    private Dictionary<string, Times> _before = [];

    public string Name => "cpu";

    public IReadOnlyList<HealthPoint> Read()
    {
        var now = new Dictionary<string, Times>(StringComparer.Ordinal);
        var points = new List<HealthPoint>();
        foreach (var line in File.ReadLines(Path.Combine(proc, "stat")))
        {
            if (!line.StartsWith("cpu", StringComparison.Ordinal))
                break;

            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var cpu = fields[0] == "cpu" ? "cpu-total" : fields[0];
            var times = now[cpu] = Times.Parse(fields.AsSpan(1));
            if (_before.TryGetValue(cpu, out var before) && Usage(before, times) is { } usage)
                points.Add(new HealthPoint(Name, usage, "cpu", cpu));
        }

        _before = now;
        return points;
    }

    private static HealthField[]? Usage(in Times before, in Times now)
    {
        var delta = now.Minus(before);
        double total = delta.Total;
        if (total <= 0 || delta.IsBackwards)
            return null;

        return
        [
            HealthField.Of("usage_user", 100 * (delta.User - delta.Guest) / total),
            HealthField.Of("usage_system", 100 * delta.System / total),
            HealthField.Of("usage_idle", 100 * delta.Idle / total),
            HealthField.Of("usage_nice", 100 * (delta.Nice - delta.GuestNice) / total),
            HealthField.Of("usage_iowait", 100 * delta.IoWait / total),
            HealthField.Of("usage_irq", 100 * delta.Irq / total),
            HealthField.Of("usage_softirq", 100 * delta.SoftIrq / total),
            HealthField.Of("usage_steal", 100 * delta.Steal / total),
            HealthField.Of("usage_guest", 100 * delta.Guest / total),
            HealthField.Of("usage_guest_nice", 100 * delta.GuestNice / total),
        ];
    }

    /// <summary>Ticks since boot, in the order of the file. Doubles hold them exactly and divide as they should.</summary>
    private readonly record struct Times(
        double User, double Nice, double System, double Idle, double IoWait, double Irq, double SoftIrq, double Steal, double Guest, double GuestNice)
    {
        public double Total => User + Nice + System + Idle + IoWait + Irq + SoftIrq + Steal;

        // Iowait may fall a little when a cpu goes to sleep (proc_stat(5)); the others may not.
        public bool IsBackwards =>
            User < 0 || Nice < 0 || System < 0 || Idle < 0 || Irq < 0 || SoftIrq < 0 || Steal < 0 || Guest < 0 || GuestNice < 0;

        /// <remarks>Old kernels have fewer columns: what is missing is zero.</remarks>
        public static Times Parse(ReadOnlySpan<string> columns)
        {
            Span<double> values = stackalloc double[10];
            for (var i = 0; i < Math.Min(values.Length, columns.Length); i++)
                values[i] = ulong.Parse(columns[i], NumberStyles.None, CultureInfo.InvariantCulture);
            return new Times(
                values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7], values[8], values[9]);
        }

        public Times Minus(in Times before) => new(
            User - before.User,
            Nice - before.Nice,
            System - before.System,
            Idle - before.Idle,
            IoWait - before.IoWait,
            Irq - before.Irq,
            SoftIrq - before.SoftIrq,
            Steal - before.Steal,
            Guest - before.Guest,
            GuestNice - before.GuestNice);
    }
}
