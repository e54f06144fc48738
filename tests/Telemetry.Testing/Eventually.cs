using System.Diagnostics;

namespace Telemetry.Testing;

/// <summary>Waits for what must come true, up to a deadline that only a failure reaches.</summary>
public static class Eventually
{
    // The programs themselves pause for up to 90 seconds between two tries.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <exception cref="TimeoutException">It did not come true; the message says what was awaited and what was seen last.</exception>
    /// <param name="pause">Between two looks, where looking takes time from what is awaited.</param>
    public static async Task<T> Get<T>(Func<Task<T?>> look, string awaited, CancellationToken cancellation, Func<string>? seen = null, TimeSpan? pause = null)
        where T : class
    {
        for (var watch = Stopwatch.StartNew(); ;)
        {
            if (await look() is { } found)
                return found;
            if (watch.Elapsed > Deadline)
                throw new TimeoutException($"Waited {Deadline.TotalSeconds} s in vain for {awaited}. {seen?.Invoke()}");
            await Task.Delay(pause ?? Pause, cancellation);
        }
    }

    public static Task True(Func<bool> condition, string awaited, CancellationToken cancellation, Func<string>? seen = null) =>
        Get(() => Task.FromResult(condition() ? "yes" : null), awaited, cancellation, seen);

    public static Task True(Func<Task<bool>> condition, string awaited, CancellationToken cancellation, Func<string>? seen = null) =>
        Get(async () => await condition() ? "yes" : null, awaited, cancellation, seen);
}
