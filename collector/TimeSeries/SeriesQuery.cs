namespace Telemetry.Collector.TimeSeries;

/// <summary>What becomes of the values of a step.</summary>
internal enum Aggregate
{
    Mean = 1,
    Min = 2,
    Max = 3,
    Sum = 4,

    /// <summary>Of the newest of them.</summary>
    Last = 5,
    Count = 6,
}

/// <summary>A question for one field of a measurement.</summary>
/// <param name="From">Part of the range.</param>
/// <param name="To">Not part of it.</param>
/// <param name="Step">Whole seconds. Null: one value for the whole range.</param>
internal sealed record SeriesQuery(string Measurement, string Field, Aggregate Aggregate, DateTimeOffset From, DateTimeOffset To, TimeSpan? Step)
{
    /// <summary>Of all series together.</summary>
    public const int MaxPoints = 100_000;

    /// <summary>The same, before those of a group are put together.</summary>
    public const int MaxPointsAcross = 400_000;

    public const int MaxSeries = 1_000;

    /// <summary>Of one series.</summary>
    public const int MaxSteps = 10_000;

    private const int MaxTags = 16;
    private const int MaxName = 1_024;

    /// <summary>Only series that have each of these tags, with this value.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Where { get; init; } = [];

    /// <summary>Tags whose values make a series each. None: all are one.</summary>
    public IReadOnlyList<string> By { get; init; } = [];

    /// <summary>What becomes of the values that the series of a group have in a step, one of each. Null: all are taken for values of one series.</summary>
    public Aggregate? Across { get; init; }

    /// <returns>Itself, when a store may be asked it.</returns>
    /// <exception cref="SeriesException">It names nothing, or asks for more than anybody reads.</exception>
    public SeriesQuery Checked()
    {
        string[] names = [Measurement, Field, .. By, .. Where.Select(tag => tag.Key), .. Where.Select(tag => tag.Value)];
        if (Array.Exists(names, name => name.Length is 0 or > MaxName) || By.Count > MaxTags || Where.Count > MaxTags)
            throw new SeriesException($"A measurement, a field and tags have names of 1 to {MaxName} characters, and at most {MaxTags} tags are asked for.", isWrongQuestion: true);
        if (Across is Aggregate.Last or Aggregate.Count)
            throw new SeriesException("Across series there are sum, mean, min and max.", isWrongQuestion: true);
        if (From >= To || From < DateTimeOffset.UnixEpoch || To.Year > 2200)
            throw new SeriesException("The time asked for ends before it begins, or lies where no clock is.", isWrongQuestion: true);
        if (Step is { } step && (step < TimeSpan.FromSeconds(1) || step.Ticks % TimeSpan.TicksPerSecond != 0))
            throw new SeriesException("A step is one or more whole seconds.", isWrongQuestion: true);
        if (Step is { } length && (To - From) / length > MaxSteps)
            throw new SeriesException($"That would be more than {MaxSteps} points in a series; choose a longer step or a shorter time.", isWrongQuestion: true);
        return this;
    }

    /// <exception cref="SeriesException">The answer is more than anybody reads.</exception>
    public static SeriesException TooMuch() => new(
        $"That would be more than {MaxSeries} series or {MaxPoints} points; ask for one instance, group by fewer tags, or choose a longer step.", isWrongQuestion: true);
}
