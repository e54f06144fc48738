namespace Telemetry.Collector.TimeSeries;

/// <summary>Where points go, and where graphs and reports find them. Nothing else depends on what it has.</summary>
internal partial interface ITimeSeriesStore
{
    /// <summary>For people: what it is, as far as known, and where.</summary>
    string Name { get; }

    /// <summary>Sends lines once. Those it has already do no harm.</summary>
    Task<WriteDecision> WriteAsync(PointParcel parcel, CancellationToken stopping);

    /// <summary>Whether it takes points and gives them back, found out by doing so.</summary>
    Task<StoreVerdict> TestAsync(CancellationToken stopping);
}
