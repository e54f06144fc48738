using System.Runtime.ExceptionServices;

namespace Telemetry.Agent.Scan;

/// <summary>Parts of one piece of work, each in a thread.</summary>
internal static class Together
{
    /// <summary>Runs the first part in the caller's thread and the others beside it, until all have ended. One that fails stops them all.</summary>
    /// <param name="stop">Is cancelled when a part fails.</param>
    /// <param name="parts">Must end soon after they are cancelled.</param>
    /// <remarks>The first exception comes out of here, as it was thrown.</remarks>
    public static void Run(CancellationTokenSource stop, params ReadOnlySpan<Action> parts)
    {
        Exception? cause = null;
        void Guard(Action part)
        {
            try
            {
                part();
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref cause, e, null);
                stop.Cancel();
            }
        }

        var threads = new List<Thread>();
        foreach (var part in parts[1..])
        {
            var thread = new Thread(() => Guard(part)) { IsBackground = true, Name = "scan" };
            thread.Start();
            threads.Add(thread);
        }

        Guard(parts[0]);
        threads.ForEach(thread => thread.Join());
        if (cause is not null)
            ExceptionDispatchInfo.Throw(cause);
    }
}
