using System.Text;

namespace Telemetry.Collector.TimeSeries;

/// <summary>How many series there are, and what was refused since the start because there would be too many.</summary>
/// <param name="RefusedPoints">Of all instances.</param>
/// <param name="Refusals">Of which instances, most points first.</param>
internal sealed record SeriesUsage(int Series, int MaxSeries, int Fields, long RefusedPoints, IReadOnlyList<SeriesRefusal> Refusals);

/// <summary>What was refused of one instance.</summary>
/// <param name="InstanceId">Empty: of the collector itself.</param>
/// <param name="Example">A series that was refused, shortened.</param>
internal sealed record SeriesRefusal(string InstanceId, long Points, string Example, string Reason, DateTimeOffset LastAt);

/// <summary>Counts what is refused, by instance. Not for two threads at once.</summary>
internal sealed class SeriesRefusals
{
    /// <summary>Of more only the sum is counted.</summary>
    private const int MaxInstances = 1_000;

    private const int MaxShown = 20;
    private const int MaxExample = 200;

    private readonly Dictionary<string, SeriesRefusal> _refusals = [];

    public long Points { get; private set; }

    public void Count(string instanceId, ReadOnlySpan<byte> series, string reason, DateTimeOffset at)
    {
        Points++;
        if (_refusals.TryGetValue(instanceId, out var before) || _refusals.Count < MaxInstances)
            _refusals[instanceId] = new SeriesRefusal(instanceId, (before?.Points ?? 0) + 1, before?.Reason == reason ? before.Example : Shown(series), reason, at);
    }

    public IReadOnlyList<SeriesRefusal> Most() => [.. _refusals.Values.OrderByDescending(refusal => refusal.Points).Take(MaxShown)];

    /// <summary>For people.</summary>
    public static string Shown(ReadOnlySpan<byte> series) => Encoding.UTF8.GetString(series[..Math.Min(series.Length, MaxExample)]);
}
