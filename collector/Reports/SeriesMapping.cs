using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Reports;

/// <summary>Questions for time series, and their answers, between messages and the model.</summary>
internal static class SeriesMapping
{
    /// <exception cref="SeriesException">It is none.</exception>
    public static SeriesQuery ToQuery(this V1.ListSeriesRequest request) => new SeriesQuery(
        request.Measurement,
        request.Field,
        request.Aggregate == V1.SeriesAggregate.Unspecified ? Aggregate.Mean : (Aggregate)request.Aggregate,
        request.From.ToTime("from"),
        request.To.ToTime("to"),
        request.Step is { } step ? new TimeSpan(Math.Clamp(step.Seconds, 0, int.MaxValue) * TimeSpan.TicksPerSecond) + TimeSpan.FromTicks(step.Nanos / 100) : null)
    {
        Where = [.. request.Where],
        By = [.. request.By.Distinct()],
        Across = request.Across == V1.SeriesAggregate.Unspecified ? null : (Aggregate)request.Across,
    }.Checked();

    public static V1.ListSeriesResponse ToMessage(this IReadOnlyList<AnsweredSeries> answer)
    {
        var response = new V1.ListSeriesResponse();
        foreach (var series in answer)
        {
            var message = new V1.TimeSeries();
            foreach (var (tag, value) in series.Tags)
                message.Tags.Add(tag, value);
            message.Points.AddRange(series.Points.Select(point => new V1.TimeSeriesPoint { At = point.At.ToTimestamp(), Value = point.Value }));
            response.Series.Add(message);
        }

        return response;
    }
}
