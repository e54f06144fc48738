using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Scrub;

namespace Telemetry.Agent.Tests.Scrub;

public sealed class ReadBudgetTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Debt_ReadFasterThanAllowed_IsTheTimeItShouldHaveTaken()
    {
        var budget = new ReadBudget(1000, _clock);

        Assert.Equal(TimeSpan.FromSeconds(0.5), budget.Debt(500));
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(TimeSpan.FromSeconds(1.3), budget.Debt(1000));
    }

    [Fact]
    public void Debt_AfterALongRest_AllowsNoBurst()
    {
        var budget = new ReadBudget(1000, _clock);

        _clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(TimeSpan.FromSeconds(1.9), budget.Debt(2000));
    }
}
