namespace Telemetry.Agent.Linux;

/// <summary>Times as statx(2) gives them.</summary>
internal static class KernelTime
{
    /// <summary>Nanoseconds since 1970.</summary>
    public static long ToUnixNanoseconds(this DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
