using System.Text.Json;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Reports;

/// <summary>A time in which an instance was up, down, or nobody knows: the JSON of <c>instances availability</c>.</summary>
internal sealed record AvailabilityView(string State, DateTime From, DateTime To)
{
    public static AvailabilityView Of(V1.AvailabilityInterval interval) =>
        new(interval.State.ToString().ToLowerInvariant(), interval.From.ToDateTime(), interval.To.ToDateTime());
}

/// <summary>How many deviations were open at a point in time, by the last severity each had: the JSON of <c>instances drift</c>.</summary>
internal sealed record DriftView(DateTime At, uint Open, uint Critical, uint High, uint Medium, uint Low, uint Info)
{
    public static DriftView Of(V1.DriftPoint point) => new(
        point.At.ToDateTime(),
        point.Critical + point.High + point.Medium + point.Low + point.Info,
        point.Critical,
        point.High,
        point.Medium,
        point.Low,
        point.Info);
}

/// <summary>What became of the points of an instance and hour: the JSON of <c>reports coverage</c>.</summary>
/// <param name="Dropped">No time-series store is configured.</param>
/// <param name="Stored">By the time-series store, as it said.</param>
/// <param name="Waiting">For that, on the collector's disk; and of the instance's newest hour what it did not tell of yet.</param>
/// <param name="Missing">Neither did they come, nor was it told what became of them.</param>
/// <param name="Rejections">By reason.</param>
/// <param name="MissingBatches">Deliveries that never came, as was noticed in this hour.</param>
internal sealed record PointAccountView(
    string Instance,
    DateTime Hour,
    ulong Collected,
    ulong Stored,
    ulong Rejected,
    ulong LostFull,
    ulong LostDamaged,
    ulong Dropped,
    ulong Waiting,
    ulong Missing,
    IReadOnlyDictionary<string, ulong> Rejections,
    ulong MissingBatches)
{
    public static PointAccountView Of(V1.PointAccount account) => new(
        account.InstanceId,
        account.Hour.ToDateTime(),
        account.Collected,
        account.Stored,
        account.Rejected,
        account.LostFull,
        account.LostDamaged,
        account.Dropped,
        account.Waiting,
        account.Missing,
        account.Rejections.ToDictionary(rejection => Name(rejection.Reason), rejection => rejection.Points),
        account.MissingBatches);

    private static string Name(V1.RejectionReason reason) => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString());
}

/// <summary>What is known of one field over time: the JSON of <c>reports series</c>.</summary>
/// <param name="Tags">Those grouped by.</param>
internal sealed record SeriesView(IReadOnlyDictionary<string, string> Tags, IReadOnlyList<SeriesPointView> Points)
{
    public static SeriesView Of(V1.TimeSeries series) => new(
        new SortedDictionary<string, string>(series.Tags),
        [.. series.Points.Select(point => new SeriesPointView(point.At.ToDateTime(), point.Value))]);
}

internal sealed record SeriesPointView(DateTime At, double Value);

/// <summary>How the time-series store does: the JSON of <c>reports timeseries</c>.</summary>
/// <param name="Store">What it is and where; null: none is configured.</param>
/// <param name="State">working, waiting, needs_attention, untested; none when none is configured.</param>
/// <param name="Series">That the collector knows.</param>
/// <param name="RefusedPoints">Since the collector's start, because there would be more series, or names of fields, than there may be.</param>
internal sealed record TimeSeriesView(
    string? Store,
    string? Version,
    string State,
    string Words,
    DateTime? Since,
    DateTime? WrittenAt,
    ulong WaitingPoints,
    ulong WaitingBytes,
    ulong SetAside,
    string? SetAsideFile,
    ulong LeftOutTexts,
    DateTime? TestedAt,
    IReadOnlyList<TimeSeriesCheckView> Checks,
    ulong Series,
    ulong MaxSeries,
    ulong RefusedPoints,
    IReadOnlyList<SeriesRefusalView> Refusals)
{
    public static TimeSeriesView Of(V1.GetTimeSeriesStatusResponse status) => new(
        OrNull(status.Store),
        OrNull(status.Version),
        status.Store.Length == 0 ? "none" : JsonNamingPolicy.SnakeCaseLower.ConvertName(status.State.ToString()),
        status.Store.Length == 0 ? "No time-series store is configured; set [timeseries] in collector.toml." : status.Words,
        status.Since?.ToDateTime(),
        status.WrittenAt?.ToDateTime(),
        status.WaitingPoints,
        status.WaitingBytes,
        status.SetAside,
        OrNull(status.SetAsideFile),
        status.LeftOutTexts,
        status.TestedAt?.ToDateTime(),
        [.. status.Checks.Select(check => new TimeSeriesCheckView(check.Name, JsonNamingPolicy.SnakeCaseLower.ConvertName(check.Outcome.ToString()), check.Words))],
        status.Series,
        status.MaxSeries,
        status.RefusedPoints,
        [.. status.Refusals.Select(refusal => new SeriesRefusalView(refusal.InstanceId, refusal.Points, refusal.Reason, refusal.Example, refusal.LastAt.ToDateTime()))]);

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}

/// <param name="Outcome">passed, failed, not_possible.</param>
internal sealed record TimeSeriesCheckView(string Name, string Outcome, string Words);

/// <summary>An instance of which new series are refused.</summary>
/// <param name="Example">The beginning of a series that was refused, in the line protocol.</param>
internal sealed record SeriesRefusalView(string Instance, ulong Points, string Reason, string Example, DateTime LastAt);
