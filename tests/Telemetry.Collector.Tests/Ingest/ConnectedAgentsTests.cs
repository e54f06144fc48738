using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.Ingest;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class ConnectedAgentsTests
{
    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly ConnectedAgents _agents;

    public ConnectedAgentsTests() => _agents = new ConnectedAgents(_time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReturnAfter_OfManyAgents_SpreadsThem()
    {
        Assert.Equal(TimeSpan.FromSeconds(1), _agents.ReturnAfter(1));

        for (var i = 0; i < 1_000; i++)
            await _agents.EnterAsync($"i-{i}", Cancellation);

        Assert.Equal(TimeSpan.Zero, _agents.ReturnAfter(0));
        Assert.Equal(TimeSpan.FromSeconds(3), _agents.ReturnAfter(0.5));
        Assert.Equal(TimeSpan.FromSeconds(6), _agents.ReturnAfter(1));
    }

    [Fact]
    public void Drain_TellsWhoeverWaits()
    {
        Assert.False(_agents.Draining.IsCompleted);

        _agents.Drain();

        Assert.True(_agents.Draining.IsCompleted);
    }

    [Fact]
    public async Task SecondStream_OfAnInstanceThatAnswers_IsRefused()
    {
        using var first = await _agents.EnterAsync("i-1", Cancellation);

        var second = _agents.EnterAsync("i-1", Cancellation);
        var third = _agents.EnterAsync("i-1", Cancellation);
        Answer(first);

        await Assert.ThrowsAsync<SecondStreamException>(() => second);
        _time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<SecondStreamException>(() => third);
        Assert.False(first.TakenOver.IsCancellationRequested);
        Assert.True(_agents.IsConnected("i-1"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SecondStream_OfAnInstanceThatDoesNotAnswer_TakesOver(bool answersWrongly)
    {
        var first = await _agents.EnterAsync("i-1", Cancellation);

        var entering = _agents.EnterAsync("i-1", Cancellation);
        if (answersWrongly)
            first.Answered(ByteString.CopyFromUtf8("a guess"));
        Assert.False(first.TakenOver.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(5));
        await Task.Run(() => first.TakenOver.WaitHandle.WaitOne(), Cancellation);
        Assert.False(entering.IsCompleted);
        first.Dispose();

        using var second = await entering;
        Assert.True(_agents.IsConnected("i-1"));
        Assert.False(second.TakenOver.IsCancellationRequested);
    }

    [Fact]
    public async Task SecondStream_WhileTheFirstWaitsForTheStore_WaitsUntilItCanAnswer()
    {
        using var first = await _agents.EnterAsync("i-1", Cancellation);
        var stored = new TaskCompletionSource();
        var working = first.AtWork(Answers()).ToListAsync(Cancellation).AsTask();

        var second = _agents.EnterAsync("i-1", Cancellation);
        for (var i = 0; i < 6; i++)
            _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(second.IsCompleted);
        stored.SetResult();
        await working;
        Answer(first);

        await Assert.ThrowsAsync<SecondStreamException>(() => second);
        Assert.False(first.TakenOver.IsCancellationRequested);

        async IAsyncEnumerable<int> Answers()
        {
            await stored.Task;
            yield return 1;
        }
    }

    [Fact]
    public async Task SecondStream_WhoseChallengeAnotherOneGaveUp_StillHearsTheAnswer()
    {
        using var first = await _agents.EnterAsync("i-1", Cancellation);
        using var impatient = new CancellationTokenSource();
        var second = _agents.EnterAsync("i-1", impatient.Token);
        var third = _agents.EnterAsync("i-1", Cancellation);
        var nonce = first.UntoldChallenge!;

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Answered(nonce);

        await Assert.ThrowsAsync<SecondStreamException>(() => third);
    }

    [Fact]
    public async Task SecondStream_WhenTheFirstEnds_NeedNotWait()
    {
        var first = await _agents.EnterAsync("i-1", Cancellation);

        var entering = _agents.EnterAsync("i-1", Cancellation);
        first.Dispose();

        using var second = await entering;
        Assert.Equal("i-1", second.InstanceId);
    }

    private static void Answer(ConnectedAgents.Connection connection)
    {
        while (connection.UntoldChallenge is { } nonce)
            connection.Answered(nonce);
    }
}
