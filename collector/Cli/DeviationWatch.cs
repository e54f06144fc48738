using Grpc.Core;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary>Follows deviations, also across restarts of the collector: from where it was, so that nothing is lost and nothing told twice.</summary>
/// <param name="open">A subscription that resumes behind a cursor.</param>
/// <param name="people">Whom it tells how it goes.</param>
/// <param name="random">From 0 to 1: many who follow do not come back at once.</param>
internal sealed class DeviationWatch(Func<string, IAsyncEnumerable<WatchDeviationsResponse>> open, TextWriter people, Func<double> random, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private bool _hasFollowed, _isAway;

    /// <summary>Behind what was told last; empty: nothing was.</summary>
    public string Cursor { get; private set; } = "";

    /// <summary>Until it is cancelled.</summary>
    /// <exception cref="RpcException">The collector refuses, or was never reached.</exception>
    public async Task FollowAsync(string cursor, Action<WatchDeviationsResponse> tell, CancellationToken cancellation)
    {
        Cursor = cursor;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await foreach (var response in open(Cursor).WithCancellation(cancellation))
                {
                    await TellAsync(response, tell);
                    pause = FirstPause;
                }
            }
            catch (RpcException e) when (_hasFollowed && IsLost(e) && !cancellation.IsCancellationRequested)
            {
                // As after an end: it resumes.
            }

            if (!_isAway)
                await people.WriteLineAsync("The collector went away; trying again until it is back.");
            _isAway = true;
            await Task.Delay(pause * (0.75 + (random() / 2)), time, cancellation);
        }
    }

    private async Task TellAsync(WatchDeviationsResponse response, Action<WatchDeviationsResponse> tell)
    {
        if (response.Deviation is not null)
            tell(response);
        else
            await people.WriteLineAsync(_isAway ? "The collector is back; following on." : "Following deviations; Ctrl-C ends.");
        (Cursor, _hasFollowed, _isAway) = (response.Cursor, true, false);
    }

    /// <summary>Its end was told, or the connection broke in the middle; anything else is an answer.</summary>
    private static bool IsLost(RpcException e) =>
        e.StatusCode == StatusCode.Unavailable || (e.StatusCode is StatusCode.Internal or StatusCode.Unknown && e.Status.DebugException is not null);
}
