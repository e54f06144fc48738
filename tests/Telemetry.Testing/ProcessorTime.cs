using System.Globalization;

namespace Telemetry.Testing;

/// <summary>What work costs, whoever else works on the machine meanwhile.</summary>
public static class ProcessorTime
{
    // The kernel's unit for programs, whatever its own (USER_HZ of times(2)).
    private const double TicksPerSecond = 100;

    /// <summary>Of the calling thread so far, to a hundredth of a second (proc_pid_stat(5): utime and stime).</summary>
    public static TimeSpan OfThisThread
    {
        get
        {
            var stat = File.ReadAllText("/proc/thread-self/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond);
        }
    }
}
