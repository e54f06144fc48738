using Telemetry.Agent.Spool;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Checks;

/// <summary>Changes of checks' states that the collector does not have yet, in the spool, in their order.</summary>
/// <param name="encode">As it is sent, but for its number.</param>
internal sealed class CheckLog(SpoolLane lane, Func<CheckNews, byte[]> encode)
{
    /// <summary>Raised when there is something to send.</summary>
    public event Action? Changed;

    public void Add(CheckNews news)
    {
        lane.Append(news.At, 1, encode(news));
        Changed?.Invoke();
    }

    /// <summary>A stream begins.</summary>
    /// <param name="watermark">What the collector has.</param>
    public void Begin(HeadPosition watermark)
    {
        if (lane.IsBehind(watermark))
            lane.Renumber(watermark.Epoch);
        else
            lane.Acked(watermark);
    }

    /// <param name="told">How far this stream has come.</param>
    public SpoolRecord? Next(ref SpoolCursor told) => lane.Read(ref told);

    public void Acked(HeadPosition position) => lane.Acked(position);
}

/// <summary>One thing to tell of checks.</summary>
/// <param name="Change">Null: only which checks there are.</param>
/// <param name="Checks">All that this agent runs, when it starts; null: as before.</param>
internal sealed record CheckNews(DateTimeOffset At, CheckChange? Change, IReadOnlyList<DeclaredCheck>? Checks);
