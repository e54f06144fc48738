using Microsoft.Extensions.Hosting;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Supervision;

/// <summary>Keeps the process small while little happens: what a busy minute needed would stay until the next one.</summary>
internal sealed class MemoryKeeper(TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    // A start has parts of the program read that nothing runs later: it is over after a minute; or after two; and so on.
    private static readonly TimeSpan FirstGift = TimeSpan.FromMinutes(1), LongestBetweenGifts = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (pause, given) = (FirstGift, clock.GetTimestamp());
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            ProcessMemory.Tend();
            if (clock.GetElapsedTime(given) < pause)
                continue;
            ProcessMemory.GiveBack();
            pause = 2 * pause < LongestBetweenGifts ? 2 * pause : LongestBetweenGifts;
            given = clock.GetTimestamp();
        }
    }
}
