namespace Telemetry.Agent.Health;

/// <summary>Ticks since boot, or between two looks, in the order of the file. Doubles hold them exactly and divide as they should.</summary>
internal readonly record struct CpuTimes(
    double User, double Nice, double System, double Idle, double IoWait, double Irq, double SoftIrq, double Steal, double Guest, double GuestNice)
{
    /// <summary>Without guest times, which the kernel counts in user and nice already.</summary>
    public double Total => User + Nice + System + Idle + IoWait + Irq + SoftIrq + Steal;

    public bool IsBackwards =>
        User < 0 || Nice < 0 || System < 0 || Idle < 0 || IoWait < 0 || Irq < 0 || SoftIrq < 0 || Steal < 0 || Guest < 0 || GuestNice < 0;

    /// <remarks>Old kernels have fewer columns: what is missing is zero.</remarks>
    public static CpuTimes Parse(ReadOnlySpan<byte> columns)
    {
        Span<long> values = stackalloc long[10];
        values.Clear();
        if (KernelColumns.Counters(columns, values) < 4)
            throw new FormatException("stat has a cpu without times.");
        return new CpuTimes(values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7], values[8], values[9]);
    }

    public CpuTimes Minus(in CpuTimes before) => new(
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

    /// <summary>Of a difference, in percent of its total: Telegraf's formulas. usage_user and usage_nice are without guests.</summary>
    public HealthField[] Usage()
    {
        var total = Total;
        return
        [
            HealthField.Of("usage_user", 100 * (User - Guest) / total),
            HealthField.Of("usage_system", 100 * System / total),
            HealthField.Of("usage_idle", 100 * Idle / total),
            HealthField.Of("usage_nice", 100 * (Nice - GuestNice) / total),
            HealthField.Of("usage_iowait", 100 * IoWait / total),
            HealthField.Of("usage_irq", 100 * Irq / total),
            HealthField.Of("usage_softirq", 100 * SoftIrq / total),
            HealthField.Of("usage_steal", 100 * Steal / total),
            HealthField.Of("usage_guest", 100 * Guest / total),
            HealthField.Of("usage_guest_nice", 100 * GuestNice / total),
        ];
    }
}
