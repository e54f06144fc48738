using System.Runtime.InteropServices;

namespace Telemetry.Collector.Cli;

/// <summary>What this program prints to.</summary>
internal static partial class StandardOutput
{
    private const int Descriptor = 1;

    /// <summary>POLLERR | POLLHUP: nobody reads the pipe any more, or the terminal is gone.</summary>
    private const short Gone = 0x0008 | 0x0010;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>Completes when nobody can read any more what is printed, also while nothing is. A file never gets there.</summary>
    public static async Task WaitUntilGoneAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Interval);
        while (!IsGone())
            await timer.WaitForNextTickAsync(cancellation);
    }

    public static bool IsGone()
    {
        // What is not asked for, errors and hang-ups, is told all the same.
        var polled = new PollDescriptor { Descriptor = Descriptor };
        return Poll(ref polled, 1, 0) > 0 && (polled.Returned & Gone) != 0;
    }

    /// <summary>poll(2), which with a timeout of 0 does not wait; since Linux 2.2. EINTR counts as no news.</summary>
    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeoutMilliseconds);

    /// <summary>struct pollfd</summary>
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Asked;
        public short Returned;
    }
}
