using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>Which head is current, which was announced and which is acknowledged: one immutable value, swapped whole.</summary>
/// <param name="Epoch">Of the current head, or of the first one to come.</param>
internal sealed record HeadLedger(ulong Epoch)
{
    /// <summary>Null before the first complete look.</summary>
    public LocalHead? Head { get; init; }

    /// <summary>The last complete look, changed or not.</summary>
    public DateTimeOffset? LookStartedAt { get; init; }

    public DateTimeOffset? LookCompletedAt { get; init; }

    /// <summary>The head the collector is known to have; null when it has none of ours.</summary>
    public ToldHead? Acknowledged { get; init; }

    /// <summary>When the acknowledged state was last seen; null as long as it is current.</summary>
    public DateTimeOffset? AfterAcknowledged { get; init; }

    /// <summary>The head announced last. It stays after a disconnect: the collector may have it without our knowing.</summary>
    public ToldHead? Announced { get; init; }

    public DateTimeOffset? AfterAnnounced { get; init; }

    public bool IsInFlight { get; init; }

    /// <summary>Of the newest head in a database that is used no more; 0 when there was none since the start.</summary>
    public long EarlierGeneration { get; init; }

    /// <summary>Of the newest head; 0 before the first. They only rise: the spool tells by them which head has a change.</summary>
    public long Generation => Math.Max(Head?.Generation ?? 0, EarlierGeneration);

    public HeadPosition Position => Head?.Position ?? new HeadPosition(Epoch, 0);

    public bool IsAcknowledged => Head is null || Acknowledged?.Position == Head.Position;

    /// <summary>Replaced nodes of this generation and later ones are still needed; null when none are.</summary>
    public long? NeededGeneration => IsInFlight ? Announced?.Generation : null;

    /// <summary>After a complete look: a new head when something is different, else the same one seen again.</summary>
    public HeadLedger Saw(Sighting sighting) =>
        Next(sighting, LookStartedAt) with { LookStartedAt = sighting.StartedAt, LookCompletedAt = sighting.CompletedAt };

    /// <summary>After a look at some parts.</summary>
    /// <param name="observedAfter">When these parts were still as they are in the current head.</param>
    public HeadLedger SawParts(Sighting sighting, DateTimeOffset observedAfter) => Next(sighting, observedAfter);

    private HeadLedger Next(Sighting sighting, DateTimeOffset? observedAfter)
    {
        if (Head is { } head && head.Roots == sighting.Roots && head.Coverage == sighting.Coverage)
            return this;

        var next = new LocalHead(
            new HeadPosition(Epoch, Position.Sequence + 1),
            Generation + 1,
            sighting.Roots,
            sighting.Coverage,
            sighting.CompletedAt,
            Head is null ? null : observedAfter);
        return this with
        {
            Head = next,
            AfterAcknowledged = Earlier(AfterAcknowledged, next.ObservedAfter),
            AfterAnnounced = Earlier(AfterAnnounced, next.ObservedAfter),
        };
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? known, DateTimeOffset? other) =>
        known is null || other < known ? other ?? known : known;

    /// <summary>What the collector's welcome says about the last head it stored.</summary>
    /// <param name="watermark">0/0 when it has none.</param>
    /// <param name="now">Unix milliseconds.</param>
    public HeadLedger Met(HeadPosition watermark, Roots? roots, ulong now)
    {
        var ledger = this with { IsInFlight = false };
        if (watermark > Position || (watermark == Position && Head is not null && roots != Head.Roots))
            return ledger.Renewed(watermark.Epoch, now);
        if (watermark == Position && Head is not null)
            return ledger with { Acknowledged = new ToldHead(watermark, Head.Generation), AfterAcknowledged = null };
        if (watermark == Acknowledged?.Position)
            return ledger;
        if (watermark == Announced?.Position)
            return ledger with { Acknowledged = Announced, AfterAcknowledged = AfterAnnounced };
        return ledger with { Acknowledged = null, AfterAcknowledged = null };
    }

    public (HeadLedger Ledger, Announcement Announcement) Announce()
    {
        var head = Head ?? throw new InvalidOperationException("There is no head to announce.");
        var announcement = new Announcement(
            head, Acknowledged is null ? null : AfterAcknowledged ?? head.ObservedAfter, Acknowledged?.Generation);
        return (this with { Announced = new ToldHead(head.Position, head.Generation), AfterAnnounced = null, IsInFlight = true }, announcement);
    }

    public HeadLedger Acked(HeadPosition position) =>
        IsInFlight && Announced?.Position == position
            ? this with { Acknowledged = Announced, AfterAcknowledged = AfterAnnounced, IsInFlight = false }
            : this;

    /// <summary>The announced head is given up: its nodes are gone, or the stream is.</summary>
    public HeadLedger Withdrawn() => this with { IsInFlight = false };

    /// <summary>A new epoch, always higher than those before: our counting is behind the collector's.</summary>
    public HeadLedger Renewed(ulong atLeast, ulong now)
    {
        var epoch = Math.Max(now, Math.Max(atLeast, Epoch) + 1);
        return this with
        {
            Epoch = epoch,
            Head = Head is null ? null : Head with { Position = new HeadPosition(epoch, 1) },
            Acknowledged = null,
            AfterAcknowledged = null,
            Announced = null,
            AfterAnnounced = null,
            IsInFlight = false,
        };
    }
}
