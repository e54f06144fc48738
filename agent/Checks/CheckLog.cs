using Telemetry.Agent.Spool;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Checks;

/// <summary>
/// How the checks of this machine are, and in the spool, in their order, the changes that the collector does not have yet. Where some of
/// them were lost, or the collector has less than it had, it is told anew how all checks are.
/// </summary>
/// <param name="encode">As it is sent, but for its number.</param>
internal sealed class CheckLog(SpoolLane lane, Func<CheckNews, byte[]> encode, TimeProvider clock)
{
    /// <summary>Each may have a text of a KiB; a collector takes a hundred.</summary>
    private const int MostTogether = 50;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, CheckChange> _states = new(StringComparer.Ordinal);
    private IReadOnlyList<DeclaredCheck>? _checks;
    private bool _hasForgotten;
    private long _lost;

    /// <summary>Raised when there is something to send.</summary>
    public event Action? Changed;

    /// <summary>The agent starts: these are the checks it runs.</summary>
    public void Run(IReadOnlyList<DeclaredCheck> checks)
    {
        lock (_gate)
        {
            _checks = checks;
            Append([], checks);
        }

        Changed?.Invoke();
    }

    /// <summary>How a check is now.</summary>
    /// <returns>Whether that is a change.</returns>
    public bool Add(CheckChange state)
    {
        lock (_gate)
        {
            if (_states.TryGetValue(state.Check.Id, out var before) && before.State == state.State)
                return false;
            _states[state.Check.Id] = state;
            Append([state], null);
        }

        Changed?.Invoke();
        return true;
    }

    /// <summary>A stream begins.</summary>
    /// <param name="watermark">What the collector has.</param>
    public void Begin(HeadPosition watermark)
    {
        lock (_gate)
        {
            // What was acknowledged by another collector, or by this one before it was restored, or gave way meanwhile.
            _hasForgotten |= watermark < lane.Done;
            if (lane.IsBehind(watermark))
                lane.Renumber(watermark.Epoch);
            else
                lane.Acked(watermark);
        }
    }

    /// <param name="told">How far this stream has come.</param>
    public SpoolRecord? Next(ref SpoolCursor told)
    {
        lock (_gate)
        {
            if (_checks is not null && (_hasForgotten || _lost != lane.Lost))
                AppendAll(_checks);
            return lane.Read(ref told);
        }
    }

    public void Acked(HeadPosition position) => lane.Acked(position);

    private void AppendAll(IReadOnlyList<DeclaredCheck> checks)
    {
        IReadOnlyList<DeclaredCheck>? roster = checks;
        foreach (var states in _states.Values.Chunk(MostTogether).DefaultIfEmpty([]))
        {
            Append(states, roster);
            roster = null;
        }

        (_hasForgotten, _lost) = (false, lane.Lost);
    }

    private void Append(IReadOnlyList<CheckChange> changes, IReadOnlyList<DeclaredCheck>? checks)
    {
        var now = clock.GetUtcNow();
        lane.Append(now, 1, encode(new CheckNews(now, changes, checks)));
    }
}

/// <summary>What is told of checks in one message.</summary>
/// <param name="Checks">All that this agent runs; null: as before.</param>
internal sealed record CheckNews(DateTimeOffset At, IReadOnlyList<CheckChange> Changes, IReadOnlyList<DeclaredCheck>? Checks);
