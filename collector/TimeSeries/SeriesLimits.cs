using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.TimeSeries;

/// <summary>How many series and fields there may be: each costs the store, and the collector, memory for as long as it is kept.</summary>
/// <param name="All">For the embedded store: some hundred instances with a thousand series each, and those they had in a year.</param>
/// <param name="PerMeasurement">Half of all: one that explodes leaves room for the others.</param>
/// <param name="PerInstance">Within a day, of what its agent tells: far more than a machine has, so that one leaves room for the others.</param>
internal sealed record SeriesLimits(int All = 1_000_000, int PerMeasurement = 500_000, int PerInstance = 10_000)
{
    /// <summary>Ten thousand instances of 64 processors have 650,000 of measurement <c>cpu</c> alone, and as many others.</summary>
    private const int AllOfAServer = 2_000_000;

    /// <summary>Also those that it had once, and that the store keeps: interfaces of containers come and go.</summary>
    public int KeptPerInstance => Math.Max(PerInstance, All / 10);

    /// <summary>Of what the collector itself tells of an instance, within a day: a few for each layer, and one for each check that fails.</summary>
    public int OwnPerInstance { get; init; } = 2_000;

    /// <summary>Names of fields. An agent has some 250, mostly those that every other has.</summary>
    public int Fields { get; init; } = 50_000;

    /// <summary>Names of fields that an instance was the first to have.</summary>
    public int FieldsPerInstance { get; init; } = 1_000;

    public int Measurements { get; init; } = 10_000;

    /// <summary>Measurements that an instance was the first to have.</summary>
    public int MeasurementsPerInstance { get; init; } = 100;

    /// <param name="section">Of the store that is in use, which decides how many are enough.</param>
    public static SeriesLimits Read(SettingsSection section)
    {
        var isEmbedded = section.Text("kind", TimeSeriesOptions.EmbeddedKind) == TimeSeriesOptions.EmbeddedKind;
        var all = (int)section.Number("max_series", isEmbedded ? new SeriesLimits().All : AllOfAServer, least: 100, most: 10_000_000);
        return new SeriesLimits(
            all,
            (int)section.Number("max_series_per_measurement", all / 2, least: 100, most: 10_000_000),
            (int)section.Number("max_series_per_instance", 10_000, least: 100, most: 10_000_000));
    }
}
