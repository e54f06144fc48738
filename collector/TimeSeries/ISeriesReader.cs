namespace Telemetry.Collector.TimeSeries;

/// <summary>Where time series are asked for, whatever keeps them. Nothing that must be right depends on it.</summary>
internal interface ISeriesReader
{
    /// <summary>Series without data in that time are not in the answer, and neither are steps without any.</summary>
    /// <exception cref="SeriesException">It cannot be answered; the message says what to do.</exception>
    Task<IReadOnlyList<AnsweredSeries>> QueryAsync(SeriesQuery query, CancellationToken cancellation);
}

/// <param name="Tags">Those grouped by; empty where a series has none.</param>
/// <param name="Points">By time.</param>
internal sealed record AnsweredSeries(IReadOnlyDictionary<string, string> Tags, IReadOnlyList<SeriesPoint> Points);

/// <param name="At">When its step began: a multiple of it since 1970. Without steps, when the range began.</param>
internal readonly record struct SeriesPoint(DateTimeOffset At, double Value);

/// <summary>The question has no answer, now or ever.</summary>
internal sealed class SeriesException(string message, bool isWrongQuestion = false) : Exception(message)
{
    /// <summary>It would not be answered later either.</summary>
    public bool IsWrongQuestion => isWrongQuestion;
}
