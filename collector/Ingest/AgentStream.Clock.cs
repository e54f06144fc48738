using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

internal sealed partial class AgentStream
{
    /// <summary>A clock without a battery begins in 1970.</summary>
    private static readonly TimeSpan LargestOffset = TimeSpan.FromDays(36_500);

    /// <summary>A clock that jumps to and fro does not keep the disk busy.</summary>
    private static readonly TimeSpan ShortestBetweenOffsets = TimeSpan.FromMinutes(1);

    /// <summary>What an agent dates further from its present says nothing.</summary>
    private static readonly TimeSpan LongestAgo = TimeSpan.FromDays(3650);

    private TimeSpan? _clockOffset;
    private TimeSpan _writtenOffset;
    private DateTimeOffset _offsetWrittenAt;

    /// <summary>How far the agent's clock is off: by the quickest message, for others were longer on their way. A step is believed.</summary>
    private async IAsyncEnumerable<V1.ConnectResponse> MeasureAsync(V1.Heartbeat beat)
    {
        if (Offset(beat.SentAt) is not { } offset)
            yield break;

        var known = _clockOffset ?? TimeSpan.MaxValue;
        if (offset > known && offset - known <= Instance.LargestSkew)
            yield break;
        _clockOffset = offset;

        var now = time.GetUtcNow();
        if ((offset - _writtenOffset).Duration() <= Instance.LargestSkew || now - _offsetWrittenAt < ShortestBetweenOffsets)
            yield break;
        (_writtenOffset, _offsetWrittenAt) = (offset, now);
        await store.WriteAsync(transaction => transaction.Instances.SetClockOffset(InstanceId, offset));
        Log.Skewed(logger, InstanceId, offset.TotalSeconds);
    }

    /// <summary>A time of the agent's clock, as ours was when that showed it; null when it is no time of any session.</summary>
    private DateTimeOffset? OnOurClock(DateTimeOffset? theirs)
    {
        var offset = _clockOffset ?? TimeSpan.Zero;
        return time.GetUtcNow() - offset - theirs is { } before && before.Duration() < LongestAgo ? theirs + offset : null;
    }

    /// <summary>How far the agent's clock is behind; null when that is no clock.</summary>
    private TimeSpan? Offset(Google.Protobuf.WellKnownTypes.Timestamp? sentAt) =>
        time.GetUtcNow() - sentAt?.ToTime("sent_at") is { } offset && offset.Duration() < LargestOffset ? offset : null;

    private DateTimeOffset Corrected(DateTimeOffset theirs) => OnOurClock(theirs) ?? theirs;
}
