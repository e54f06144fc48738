using Microsoft.Extensions.Hosting;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Supervision;

/// <summary>Keeps the process small while little happens: what a busy minute needed would stay until the next one.</summary>
internal sealed class MemoryKeeper(TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            ProcessMemory.Tend();
    }
}
