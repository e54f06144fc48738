using Telemetry.Collector.Checks;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

internal sealed partial class AgentStream
{
    private CheckLane _checks = null!;
    private HeadPosition _checksAcked;
    private bool _hasLoggedRefused, _hasLoggedLeftOut;

    /// <summary>What is told again changes nothing, but is acknowledged again.</summary>
    private async IAsyncEnumerable<V1.ConnectResponse> KeepAsync(V1.CheckBatch batch)
    {
        var position = PositionOf(batch.Epoch, batch.Sequence);
        if (position > _checks.Taken)
        {
            var report = batch.ToModel(UntilNow);
            if (report.Refused.Count > 0 && !_hasLoggedRefused)
            {
                _hasLoggedRefused = true;
                Log.RefusedChecks(logger, InstanceId, report.Refused.Count, report.Refused[0]);
            }

            await _checks.TakeAsync(report, position);
        }
        else if (position <= _checks.Stored)
        {
            _checksAcked = default;
        }

        if (AckChecks() is { } ack)
            yield return ack;
    }

    /// <summary>Heartbeats come though nothing else does: what had to wait goes on.</summary>
    private async IAsyncEnumerable<V1.ConnectResponse> BeatAsync(V1.Heartbeat beat)
    {
        await foreach (var response in MeasureAsync(beat))
            yield return response;
        await _checks.StoreHeldAsync();
        if (AckChecks() is { } ack)
            yield return ack;
    }

    /// <returns>Null when the agent knows.</returns>
    private V1.ConnectResponse? AckChecks()
    {
        if (_checks.LeftOut > 0 && !_hasLoggedLeftOut)
        {
            _hasLoggedLeftOut = true;
            Log.LeftOutChecks(logger, InstanceId);
        }

        if (_checksAcked == _checks.Stored)
            return null;
        _checksAcked = _checks.Stored;
        return Ack(V1.Lane.Checks, _checksAcked);
    }

    /// <summary>What is dated ahead would never be forgotten.</summary>
    private DateTimeOffset UntilNow(DateTimeOffset at)
    {
        var (corrected, now) = (Corrected(at), time.GetUtcNow());
        return corrected < now ? corrected : now;
    }

    private static partial class Log
    {
        [LoggerMessage(5, LogLevel.Warning, "Instance {Instance} tells of checks what cannot be kept, {Count} times at once: {Reason}. That is left out, here and if it comes again on this stream; all others are kept")]
        public static partial void RefusedChecks(ILogger logger, string instance, int count, string reason);

        [LoggerMessage(6, LogLevel.Warning, "The checks of instance {Instance} change faster than their states are stored. The last that each came to is stored, as soon as possible; what they were in between is left out. See which of them is flapping")]
        public static partial void LeftOutChecks(ILogger logger, string instance);
    }
}
