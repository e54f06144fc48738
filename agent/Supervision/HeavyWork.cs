using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Supervision;

/// <summary>
/// What makes much garbage takes turns: a look at everything, and the index of what packages say of their files. During a turn the
/// process is kept small.
/// </summary>
internal sealed class HeavyWork(TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Waits for a turn; disposing what is returned ends it.</summary>
    /// <param name="waiting">Called now and then meanwhile.</param>
    public IDisposable Take(Action waiting, CancellationToken cancellation)
    {
        while (!_turn.Wait(LoopPulse.LongestSilence, cancellation))
            waiting();
        return new Turn(_turn, clock.CreateTimer(_ => ProcessMemory.Tend(), null, Interval, Interval));
    }

    public void Dispose() => _turn.Dispose();

    private sealed class Turn(SemaphoreSlim turn, ITimer timer) : IDisposable
    {
        public void Dispose()
        {
            timer.Dispose();
            turn.Release();
        }
    }
}
