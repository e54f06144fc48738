namespace Telemetry.Collector.TimeSeries;

/// <summary>By how much the times of points are put right whose agent's clock is wrong: less than 0 when it is ahead.</summary>
/// <remarks>A little is left alone. Points fall on whole intervals of their agent's clock, and so they still do afterwards.</remarks>
internal static class ClockShift
{
    /// <summary>What is less may be a message that was long on its way, as when thousands of agents come back at once; and graphs do not show it.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(30);

    /// <summary>Where samples are further apart, whole minutes are round enough.</summary>
    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(1);

    /// <param name="behind">How far the agent's clock is behind ours.</param>
    public static TimeSpan OfPoints(TimeSpan behind, TimeSpan sampling) =>
        Whole(behind, sampling > TimeSpan.Zero && sampling < LongestInterval ? sampling : LongestInterval);

    /// <summary>Of the hours that an agent gives an account of: whole hours, so that one of its hours is one of ours.</summary>
    /// <inheritdoc cref="OfPoints"/>
    public static TimeSpan OfHours(TimeSpan behind) => Whole(behind, TimeSpan.FromHours(1));

    private static TimeSpan Whole(TimeSpan behind, TimeSpan interval) => behind.Duration() < Least ? TimeSpan.Zero : interval * Math.Round(behind / interval);
}
