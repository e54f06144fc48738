using System.Globalization;

namespace Telemetry.Benchmarks;

/// <summary>What this process takes of the machine's memory: proc_pid_status(5).</summary>
internal static class OwnMemory
{
    public static long ResidentBytes() => Read("VmRSS:");

    /// <summary>Since the start, or since the last <see cref="ForgetPeak"/>.</summary>
    public static long PeakBytes() => Read("VmHWM:");

    /// <summary>proc_pid_clear_refs(5): 5 sets the peak to what is resident now.</summary>
    public static void ForgetPeak() => File.WriteAllText("/proc/self/clear_refs", "5");

    private static long Read(string name) =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
}
