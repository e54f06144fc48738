using FsCheck.Xunit;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Deviations;

public sealed class DriftTimelineTests
{
    [Property(MaxTest = 200, QuietOnSuccess = true)]
    public void Of_AnyEpisodes_IsWhatANaiveCountFinds(int seed)
    {
        var random = new Random(seed);
        var episodes = Enumerable.Range(0, random.Next(30)).Select(_ =>
        {
            var opened = Minutes(random.Next(-20, 80));
            return new Episode((Severity)random.Next(1, 6), opened, random.Next(3) == 0 ? null : opened.AddMinutes(random.Next(20)));
        }).ToList();
        var (from, to) = (Minutes(random.Next(10)), Minutes(random.Next(10, 60)));

        var points = DriftTimeline.Of(episodes, from, to, TimeSpan.FromSeconds(random.Next(1, 2_000)));

        Assert.Equal(to, points[^1].At);
        Assert.All(points, point =>
        {
            Assert.InRange(point.At, from, to);
            var naive = episodes.Where(episode => episode.OpenedAt <= point.At && !(episode.ClosedAt <= point.At)).CountBy(episode => episode.Severity);
            Assert.Equal(naive.OrderBy(count => count.Key), point.Open.OrderBy(count => count.Key));
        });
    }

    [Theory]
    [InlineData(0, 60, 20, new[] { 0, 20, 40, 60 })]
    [InlineData(0, 59, 20, new[] { 19, 39, 59 })]
    [InlineData(7, 7, 20, new[] { 7 })]
    [InlineData(8, 7, 20, new int[0])]
    public void Points_AreWholeStepsBeforeTheEnd(int from, int to, int step, int[] expected) =>
        Assert.Equal(expected.Select(Minutes), DriftTimeline.Of([], Minutes(from), Minutes(to), TimeSpan.FromMinutes(step)).Select(point => point.At));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(60 * 24 * 7)]
    [InlineData(60 * 24 * 400)]
    [InlineData(60 * 24 * 40_000)]
    public void StepOf_AnyTime_GivesAScreenful(int minutes)
    {
        var step = DriftTimeline.StepOf(TimeSpan.FromMinutes(minutes));

        Assert.InRange(step, TimeSpan.FromMinutes(1), TimeSpan.MaxValue);
        Assert.InRange(TimeSpan.FromMinutes(minutes) / step, 0, 50);
    }

    private static DateTimeOffset Minutes(int minutes) => Some.Time.AddMinutes(minutes);
}
