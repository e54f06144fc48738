namespace Telemetry.Agent.Linux;

/// <summary>
/// A child that SIGKILL did not end in time: it hangs in the kernel, on a disk that does not answer for example. It is this program's
/// until it has ended and is reaped.
/// </summary>
internal sealed unsafe class UnendedChild
{
    private const int NoHang = 1;  // WNOHANG

    // Whoever starts a child reaps those that are over by now: they would stay zombies otherwise.
    private static readonly Lock Gate = new();
    private static readonly List<UnendedChild> All = [];

    private UnendedChild(int process) => Process = process;

    public int Process { get; }

    /// <summary>It is reaped: its number may be another process's.</summary>
    public bool IsOver { get; private set; }

    public static UnendedChild Keep(int process)
    {
        var child = new UnendedChild(process);
        lock (Gate)
            All.Add(child);
        return child;
    }

    /// <summary>Reaps those that have ended.</summary>
    public static void ReapAll()
    {
        lock (Gate)
        {
            foreach (var child in All)
            {
                // ECHILD: somebody else reaped it.
                int status;
                child.IsOver = LibC.WaitPid(child.Process, &status, NoHang) != 0;
            }

            All.RemoveAll(child => child.IsOver);
        }
    }
}
