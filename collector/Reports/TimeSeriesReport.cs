using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Reports;

/// <summary>How the store of points does, as it is told to people and programs.</summary>
internal sealed class TimeSeriesReport(StateStore store, TimeSeriesBoard board, SetAsideFile setAside, ITimeSeriesStore? target = null, SeriesGuard? guard = null)
{
    public V1.GetTimeSeriesStatusResponse Get()
    {
        var response = new V1.GetTimeSeriesStatusResponse();
        if (target is null)
            return response;

        var state = board.State;
        var (points, bytes) = store.Read(transaction => transaction.Points.Waiting());
        response.Store = target.Name;
        response.Version = state.Verdict?.Version ?? "";
        response.State = StateOf(state);
        response.Words = state.Trouble?.Words ?? state.Verdict?.Words ?? "";
        response.Since = state.Since.ToTimestamp();
        response.WrittenAt = state.WrittenAt?.ToTimestamp();
        response.WaitingPoints = (ulong)points;
        response.WaitingBytes = (ulong)bytes;
        response.SetAside = (ulong)state.SetAside;
        response.SetAsideFile = setAside.FilePath;
        response.LeftOutTexts = (ulong)state.LeftOut;
        response.TestedAt = state.Verdict?.At.ToTimestamp();
        response.Checks.AddRange((state.Verdict?.Checks ?? []).Select(check => new V1.TimeSeriesCheck
        {
            Name = check.Name,
            Outcome = (V1.TimeSeriesCheckOutcome)check.Outcome,
            Words = check.Words,
        }));
        if (guard is not null)
            Tell(guard.Usage, response);
        return response;
    }

    private static void Tell(SeriesUsage usage, V1.GetTimeSeriesStatusResponse response)
    {
        response.Series = (ulong)usage.Series;
        response.MaxSeries = (ulong)usage.MaxSeries;
        response.RefusedPoints = (ulong)usage.RefusedPoints;
        response.Refusals.AddRange(usage.Refusals.Select(refusal => new V1.SeriesRefusal
        {
            InstanceId = refusal.InstanceId,
            Points = (ulong)refusal.Points,
            Reason = refusal.Reason,
            Example = refusal.Example,
            LastAt = refusal.LastAt.ToTimestamp(),
        }));
    }

    private static V1.TimeSeriesState StateOf(TimeSeriesState state) => state switch
    {
        { Trouble.Action: WriteAction.NotAllowed or WriteAction.Misconfigured } => V1.TimeSeriesState.NeedsAttention,
        { Trouble: not null } => V1.TimeSeriesState.Waiting,
        { Verdict: null } => V1.TimeSeriesState.Untested,
        { Verdict.HasPassed: false } => V1.TimeSeriesState.Waiting,
        _ => V1.TimeSeriesState.Working,
    };
}
