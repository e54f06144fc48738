namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>What is kept of the values of one step, such that sums and means of any number of steps are exact.</summary>
internal readonly record struct Bucket(long Count, double Sum, double Min, double Max, double Last)
{
    public bool IsEmpty => Count == 0;

    public static Bucket Of(double value) => new(1, value, value, value, value);

    /// <summary>Of both; the last value is of the later one.</summary>
    public Bucket With(Bucket later)
    {
        if (IsEmpty)
            return later;
        return later.IsEmpty ? this : new Bucket(Count + later.Count, Sum + later.Sum, Math.Min(Min, later.Min), Math.Max(Max, later.Max), later.Last);
    }

    public double Of(Aggregate aggregate) => aggregate switch
    {
        Aggregate.Mean => Sum / Count,
        Aggregate.Min => Min,
        Aggregate.Max => Max,
        Aggregate.Sum => Sum,
        Aggregate.Last => Last,
        Aggregate.Count => Count,
        _ => throw new ArgumentOutOfRangeException(nameof(aggregate)),
    };
}
