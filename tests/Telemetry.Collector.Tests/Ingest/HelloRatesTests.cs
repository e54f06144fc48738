using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.Ingest;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class HelloRatesTests
{
    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly HelloRates _rates;

    public HelloRatesTests() => _rates = new HelloRates(_time);

    [Fact]
    public void Instance_ThatComesAgainAndAgain_IsRefusedAndNoOther()
    {
        for (var i = 0; i < 50; i++)
            _rates.Came("i-1");

        Assert.Throws<FloodException>(() => _rates.Came("i-1"));
        _rates.Came("i-2");
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 5; i++)
            _rates.Came("i-1");
        Assert.Throws<FloodException>(() => _rates.Came("i-1"));
    }

    [Fact]
    public void Instance_ThatTriesAsOftenAsAnAgentDoes_IsNeverRefused()
    {
        for (var i = 0; i < 1_000; i++)
        {
            _rates.Came("i-1");
            _time.Advance(TimeSpan.FromSeconds(0.5));
        }
    }

    [Fact]
    public void Instances_ThatCameLongAgo_AreForgotten()
    {
        for (var i = 0; i < 100_000; i++)
        {
            _rates.Came($"i-{i}");
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.InRange(_rates.Count, 1, 1_000);
    }
}
