using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Scan;

/// <summary>Whether reading a file that begins now can see one state of it.</summary>
/// <remarks>
/// The kernel dates a write when it begins: as long as one is under way the status says nothing new. So a file that changed just
/// now is asked for writers; where that can't be told, reading waits until no write may still be under way.
/// </remarks>
internal static class FileAtRest
{
    // Longer than any single write(2) takes on a disk that works.
    private const long LongestWrite = FileStamp.TrustedAge;

    /// <param name="status">Of the descriptor, taken just now.</param>
    /// <returns>False: somebody writes to it, or did meanwhile.</returns>
    public static bool Is(int descriptor, in FileStatus status, TimeProvider clock, CancellationToken cancellation)
    {
        var age = clock.GetUtcNow().ToUnixNanoseconds() - status.Changed;
        if (age >= LongestWrite)
            return true;

        var writers = Writers.Find(descriptor);
        if (writers is 0 or Errno.Again)
            return writers == 0;

        cancellation.WaitHandle.WaitOne(TimeSpan.FromMicroseconds(Math.Min(LongestWrite - age, LongestWrite) / 1000));
        cancellation.ThrowIfCancellationRequested();
        return FileStatus.Of(descriptor, out var after) == 0 && after.IsSameState(status);
    }
}
