using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Supervision;

namespace Telemetry.Agent.Tests.Supervision;

public sealed class HeavyWorkTests : IDisposable
{
    private readonly HeavyWork _heavy = new(new FakeTimeProvider());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _heavy.Dispose();

    [Fact]
    public async Task Take_WhileAnotherHasItsTurn_Waits()
    {
        var first = _heavy.Take(() => { }, Cancellation);
        var second = Task.Run(() => _heavy.Take(() => { }, Cancellation), Cancellation);
        await Task.Delay(TimeSpan.FromMilliseconds(50), Cancellation);
        Assert.False(second.IsCompleted);

        first.Dispose();

        (await second).Dispose();
        _heavy.Take(() => { }, Cancellation).Dispose();
    }

    [Fact]
    public async Task Take_Cancelled_LeavesTheTurnToOthers()
    {
        var first = _heavy.Take(() => { }, Cancellation);
        using var impatient = new CancellationTokenSource();
        var second = Task.Run(() => _heavy.Take(() => { }, impatient.Token), Cancellation);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        first.Dispose();

        _heavy.Take(() => { }, Cancellation).Dispose();
    }
}
