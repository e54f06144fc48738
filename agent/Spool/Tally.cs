namespace Telemetry.Agent.Spool;

/// <summary>How many units of an hour there were up to a record.</summary>
internal readonly record struct Tally(long Hour, ulong Collected)
{
    public static Tally At(SpoolRecord record) => new(record.Hour, record.Collected);

    /// <summary>What came since another one, as far as it was in this hour.</summary>
    public ulong Since(Tally before) => before.Hour != Hour ? Collected : Collected > before.Collected ? Collected - before.Collected : 0;
}
