using System.Globalization;

namespace Telemetry.Agent.Health;

/// <summary>
/// Has one probe read at its interval, and waits no longer than it may take: what hangs, such as a disk whose server is away, keeps a
/// thread and nobody else. Until it comes back it is not asked again.
/// </summary>
internal sealed class ProbeRun(IProbe probe, TimeSpan interval, TimeSpan timeout, TimeProvider clock)
{
    private Task<ProbeReport>? _read;
    private Task? _hanging;
    private long _hangingSince;

    public string Name => probe.Name;

    public TimeSpan Interval => interval;

    /// <summary>One that is still waited for is not asked a second time.</summary>
    public bool IsDue(DateTimeOffset time) => time.UtcTicks % interval.Ticks == 0 && _read is not { IsCompleted: false };

    public Task<ProbeReport> ReadAsync() => _read = ReadOnceAsync();

    private async Task<ProbeReport> ReadOnceAsync()
    {
        if (_hanging is { IsCompleted: false })
            return Failed(TimeSpan.Zero, string.Create(CultureInfo.InvariantCulture, $"it hangs, since {clock.GetElapsedTime(_hangingSince).TotalSeconds:0} s"));

        _hanging = null;
        var started = clock.GetTimestamp();
        var reading = Task.Run(Read);
        try
        {
            var found = await reading.WaitAsync(timeout, clock).ConfigureAwait(false);
            return new ProbeReport(
                Name,
                found.Points.Count > 0 ? ProbeOutcome.Ok : ProbeOutcome.NoData,
                clock.GetElapsedTime(started),
                found.Points,
                found.Skipped,
                found.Skipped == 0 ? null : string.Join("; ", found.Reasons));
        }
        catch (TimeoutException)
        {
            _hanging = reading;
            _hangingSince = started;
            return Failed(clock.GetElapsedTime(started), string.Create(CultureInfo.InvariantCulture, $"it took longer than {timeout.TotalSeconds:0.###} s"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return Failed(clock.GetElapsedTime(started), e.Message.TrimEnd('.'));
        }
    }

    private ProbeReading Read()
    {
        var reading = new ProbeReading();
        probe.Read(reading);
        return reading;
    }

    private ProbeReport Failed(TimeSpan duration, string why) => new(Name, ProbeOutcome.Failed, duration, [], 0, why);
}
