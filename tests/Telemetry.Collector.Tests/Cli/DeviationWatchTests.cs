using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.Cli;
using Telemetry.Protocol.V1;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Cli;

public sealed class DeviationWatchTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly StringWriter _people = new();
    private readonly List<string> _told = [];
    private readonly List<string> _opened = [];
    private readonly Queue<(string[] Cursors, StatusCode End)> _server = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _people.Dispose();

    [Fact]
    public async Task Watch_WhoseCollectorIsStartedAgain_GoesOnBehindWhatItToldLast()
    {
        _server.Enqueue((["0", "1", "2"], StatusCode.Unavailable));
        _server.Enqueue(([], StatusCode.Unavailable));
        _server.Enqueue(([], StatusCode.Unavailable));
        _server.Enqueue((["2", "3"], StatusCode.Internal));
        _server.Enqueue((["3", "4"], StatusCode.InvalidArgument));

        var ended = await Assert.ThrowsAsync<RpcException>(() => Follow("0"));

        Assert.Equal(StatusCode.InvalidArgument, ended.StatusCode);
        Assert.Equal(["1", "2", "3", "4"], _told);
        Assert.Equal(["0", "2", "2", "2", "3"], _opened);
        Assert.Equal(
            [
                "Following deviations; Ctrl-C ends.",
                "The collector went away; trying again until it is back.",
                "The collector is back; following on.",
                "The collector went away; trying again until it is back.",
                "The collector is back; following on.",
            ],
            _people.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Watch_ThatNeverReachedTheCollector_Ends()
    {
        _server.Enqueue(([], StatusCode.Unavailable));

        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => Follow(""))).StatusCode);

        Assert.Equal("", _people.ToString());
    }

    private async Task Follow(string cursor)
    {
        var following = new DeviationWatch(Open, _people, () => 0.5, _time).FollowAsync(cursor, response => _told.Add(response.Cursor), Cancellation);
        await Eventually.True(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return following.IsCompleted;
            },
            "the end",
            Cancellation);
        await following;
    }

    /// <summary>The first of each subscription tells where it begins.</summary>
    private async IAsyncEnumerable<WatchDeviationsResponse> Open(string cursor)
    {
        _opened.Add(cursor);
        var (cursors, end) = _server.Dequeue();
        await Task.Yield();
        foreach (var (index, one) in cursors.Index())
            yield return new WatchDeviationsResponse { Cursor = one, Deviation = index == 0 ? null : new Deviation() };
        throw new RpcException(new Status(end, "", end == StatusCode.Internal ? new IOException() : null));
    }
}
