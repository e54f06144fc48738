using System.Globalization;

namespace Telemetry.Agent.StatusReports;

/// <summary>What a process takes of the machine's memory: proc_pid_status(5).</summary>
internal static class OwnMemory
{
    public static MemoryStatus Read(string statusFile = "/proc/self/status")
    {
        try
        {
            long? resident = null, peak = null;
            foreach (var line in File.ReadLines(statusFile))
            {
                if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                    resident = Bytes(line);
                else if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                    peak = Bytes(line);
            }

            return new MemoryStatus(resident, peak);
        }
        catch (IOException)
        {
            return new MemoryStatus(null, null);
        }
    }

    /// <summary>A line such as <c>VmRSS:    24680 kB</c>.</summary>
    private static long? Bytes(string line)
    {
        var columns = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return columns.Length == 3 && columns[2] == "kB" && long.TryParse(columns[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number * 1024
            : null;
    }
}
