namespace Telemetry.Collector.TimeSeries;

/// <summary>Nothing is kept, or not where it can be asked for.</summary>
internal sealed class NoSeriesReader(string reason) : ISeriesReader
{
    public Task<IReadOnlyList<AnsweredSeries>> QueryAsync(SeriesQuery query, CancellationToken cancellation) => throw new SeriesException(reason);
}
