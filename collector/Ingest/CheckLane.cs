using Telemetry.Collector.Checks;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Ingest;

/// <summary>The lane of checks of one stream: what an instance tells faster than it may is put together, and stored as soon as it may again.</summary>
/// <remarks>
/// Nothing is acknowledged before it is stored. Of what is put together only the last counts that each check came to; what it was in
/// between is left out.
/// </remarks>
internal sealed class CheckLane(StateStore store, CheckRates rates, string instanceId, HeadPosition watermark)
{
    // By check.
    private readonly Dictionary<string, CheckChange> _held = new(StringComparer.Ordinal);
    private CheckRoster? _roster;

    /// <summary>The last that was taken in, stored or not.</summary>
    public HeadPosition Taken { get; private set; } = watermark;

    /// <summary>The last that is stored.</summary>
    public HeadPosition Stored { get; private set; } = watermark;

    /// <summary>Changes that are not stored, for a later one of the same check is.</summary>
    public long LeftOut { get; private set; }

    /// <param name="position">Behind all that were taken in.</param>
    public async Task TakeAsync(CheckReport report, HeadPosition position)
    {
        if (Taken == Stored && rates.MayStore(instanceId, report.Changes.Count))
        {
            Taken = position;
            await StoreAsync(report);
            return;
        }

        Taken = position;
        Hold(report);
        await StoreHeldAsync();
    }

    /// <summary>Stores what is held, if it may be.</summary>
    public async Task StoreHeldAsync()
    {
        if (Taken == Stored || !rates.MayStore(instanceId, _held.Count))
            return;
        await StoreAsync(new CheckReport([.. _held.Values], _roster));
        _held.Clear();
        _roster = null;
    }

    private void Hold(CheckReport report)
    {
        if (report.Roster is { } roster)
        {
            _roster = roster;
            foreach (var id in _held.Keys.Where(id => !roster.Ids.Contains(id)).ToList())
                _held.Remove(id);
        }

        foreach (var change in report.Changes)
        {
            if (!_held.TryGetValue(change.Check.Id, out var before) && _held.Count == CheckMapping.MaxChecks)
            {
                LeftOut++;
                continue;
            }

            // It is so since it was first told.
            LeftOut += before is null ? 0 : 1;
            _held[change.Check.Id] = before?.State == change.State ? change with { At = before.At } : change;
        }
    }

    private async Task StoreAsync(CheckReport report)
    {
        var position = Taken;
        await store.WriteAsync(transaction =>
        {
            CheckStates.Keep(transaction, instanceId, report);
            transaction.Checks.SetWatermark(instanceId, position);
        });
        Stored = position;
    }
}
