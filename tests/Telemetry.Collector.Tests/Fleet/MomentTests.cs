using System.Globalization;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class MomentTests
{
    [Theory]
    [InlineData("2026-03-03T10:00Z", "2026-03-03T10:00:00.999Z")]
    [InlineData("2026-03-03T10:00", "2026-03-03T10:00:00.999Z")]
    [InlineData("2026-03-03 10:00:07Z", "2026-03-03T10:00:07.999Z")]
    [InlineData("2026-03-03T10:00:07.25Z", "2026-03-03T10:00:07.250Z")]
    [InlineData("2026-03-03T10:00:07+02:00", "2026-03-03T08:00:07.999Z")]
    [InlineData("2026-03-03", "2026-03-03T00:00:00.999Z")]
    public void TryParse_ATime_IsTheLastMillisecondOfWhatItNames(string text, string expected)
    {
        Assert.True(Moment.TryParse(text, out var time));
        Assert.Equal(expected, time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("10:00")]
    [InlineData("11/24/2026")]
    [InlineData("2026-11")]
    [InlineData("2026-13-01T00:00Z")]
    public void TryParse_NoTime_IsRefused(string text) => Assert.False(Moment.TryParse(text, out _));
}
