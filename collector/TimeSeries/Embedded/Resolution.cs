namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>How finely time series are kept, and for how long. All times are milliseconds since 1970.</summary>
/// <param name="Level">In the store: never change one.</param>
/// <param name="Step">Values that fall into one are kept as their count, sum, least, greatest and last.</param>
internal sealed record Resolution(int Level, long Step, int StepsInChunk, TimeSpan Kept)
{
    private const int SeriesBits = 32;
    private const int ChunkBits = 28;

    /// <summary>From the finest to the coarsest, which is also kept longest.</summary>
    public static readonly IReadOnlyList<Resolution> All =
    [
        new(0, 10_000, 60, TimeSpan.FromDays(2)),
        new(1, 60_000, 60, TimeSpan.FromDays(14)),
        new(2, 600_000, 36, TimeSpan.FromDays(400)),
    ];

    public static Resolution Finest => All[0];

    public static Resolution Coarsest => All[^1];

    public long ChunkLength => Step * StepsInChunk;

    public long ChunkOf(long time) => time / ChunkLength;

    /// <summary>A chunk's key in the store: level, then chunk of time, then series. So a chunk of time of all series lies together.</summary>
    public long KeyOf(long chunk, long series) => ((((long)Level << ChunkBits) | chunk) << SeriesBits) | series;

    public static long ChunkOfKey(long key) => (key >> SeriesBits) & ((1L << ChunkBits) - 1);

    public static long SeriesOfKey(long key) => key & uint.MaxValue;

    /// <summary>What answers a question best: the coarsest whose steps make up those asked for, among those that reach back far enough.</summary>
    /// <param name="step">Null: one for all.</param>
    /// <param name="oldest">The oldest that there is of each.</param>
    public static Resolution For(long from, long to, long? step, long now, Func<Resolution, long?> oldest)
    {
        var first = All.Min(level => oldest(level) ?? long.MaxValue);

        // Steps that begin or end within one of a coarser level would take in what is beside the range.
        return All.LastOrDefault(level => IsExact(level) && Reaches(level)) ?? All.FirstOrDefault(Reaches) ?? Finest;

        bool IsExact(Resolution level) =>
            level == Finest || ((step ?? level.Step) % level.Step == 0 && from % level.Step == 0 && (to % level.Step == 0 || to >= now));

        bool Reaches(Resolution level) => oldest(level) is { } its && its <= Math.Max(from, first + Coarsest.ChunkLength);
    }
}
