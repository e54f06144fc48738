using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.Cli;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Cli;

public sealed class JudgementProgressTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly StringWriter _terminal = new();
    private readonly TaskCompletionSource<string> _work = new();
    private int _asked;

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public async Task Work_ThatTakesLong_ShowsHowManyAreLeftAndThenNoMoreOfIt()
    {
        var waiting = Progress(() => Task.FromResult((ulong)(500 - _asked)));

        await Looked(1);
        await Looked(2);
        _work.SetResult("done");

        Assert.Equal("done", await waiting);
        Assert.StartsWith("\r\u001b[KJudging anew: 499 instances are left.\r\u001b[KJudging anew: 498 instances are left.", _terminal.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(" are left.\r\u001b[K", _terminal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Work_ThatIsQuick_ShowsNothing()
    {
        var waiting = Progress(() => Task.FromResult(500ul));

        _work.SetResult("done");

        Assert.Equal("done", await waiting);
        Assert.Equal("", _terminal.ToString());
    }

    [Fact]
    public async Task Server_ThatDoesNotSay_ShowsNothingAndSpoilsNothing()
    {
        var waiting = Progress(() => throw new RpcException(Status.DefaultCancelled));

        await Looked(1);
        _work.SetResult("done");

        Assert.Equal("done", await waiting);
        Assert.Equal("", _terminal.ToString());
    }

    [Fact]
    public async Task Work_ThatFails_Fails()
    {
        var waiting = Progress(() => Task.FromResult(500ul));

        _work.SetException(new CommandException(1, "refused"));

        await Assert.ThrowsAsync<CommandException>(() => waiting);
    }

    private Task<string> Progress(Func<Task<ulong>> left) =>
        new JudgementProgress(_terminal, () => { _asked++; return left(); }, _time).During(_work.Task);

    /// <summary>Goes on until there were that many looks: time that passes before one is waited for brings none.</summary>
    private Task Looked(int times) => Eventually.True(
        () =>
        {
            if (_asked < times)
                _time.Advance(JudgementProgress.Interval);
            return _asked >= times;
        },
        "a look",
        TestContext.Current.CancellationToken);
}
