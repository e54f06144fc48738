using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Uplink;

/// <summary>How the stream to the collector is doing. Written by the uplink, read by anybody.</summary>
internal sealed class CollectorLink(AgentOptions options, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private LinkState _state = new(options.Collector is null ? LinkCondition.None : LinkCondition.Connecting, clock.GetUtcNow(), null, null);

    public LinkState State
    {
        get
        {
            lock (_gate)
                return _state;
        }
    }

    public void Connected() => Become(LinkCondition.Connected, null);

    /// <param name="reason">For people.</param>
    public void Failed(string reason) => Become(LinkCondition.Disconnected, reason);

    /// <summary>The collector answers, and wants nothing to do with this agent.</summary>
    public void Refused(string reason) => Become(LinkCondition.Refused, reason);

    /// <summary>The collector has stored this head, or has it still.</summary>
    public void Acked(HeadPosition position)
    {
        lock (_gate)
            _state = _state with { LastAck = new LinkAck(position, clock.GetUtcNow()) };
    }

    // Of many tries in vain, since when and why now.
    private void Become(LinkCondition condition, string? reason)
    {
        lock (_gate)
            _state = _state with { Condition = condition, Reason = reason, Since = condition == _state.Condition ? _state.Since : clock.GetUtcNow() };
    }
}

internal enum LinkCondition
{
    /// <summary>No collector is configured.</summary>
    None,

    /// <summary>The first try is not over.</summary>
    Connecting,
    Connected,
    Disconnected,
    Refused,
}

/// <param name="Reason">Why not connected.</param>
/// <param name="LastAck">Since the agent started; null when there was none.</param>
internal sealed record LinkState(LinkCondition Condition, DateTimeOffset Since, string? Reason, LinkAck? LastAck);

internal sealed record LinkAck(HeadPosition Position, DateTimeOffset At);
