using Telemetry.Agent.Scan;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>One entry that became different, and where that came from.</summary>
/// <param name="Fingerprint">Encoded; null: it is gone.</param>
internal sealed record AttributedChange(EntryKind Kind, byte[] Key, byte[]? Fingerprint, ChangeOrigin Origin);

/// <summary>Where the changes of heads came from that the collector does not have yet. Bounded: of what is more, nobody is told.</summary>
internal sealed class ChangeLog
{
    private const int MaxBytes = 4 << 20;

    // Of a record beside its key and fingerprint.
    private const int Overhead = 100;

    private readonly Lock _gate = new();
    private readonly Queue<(long Generation, AttributedChange Change)> _changes = [];
    private long _first, _bytes, _dropped;

    /// <summary>Records that were dropped for want of room, since the start.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <param name="generation">Of the head that has the changes.</param>
    /// <param name="files">That were seen.</param>
    /// <param name="part">What was looked at.</param>
    public void Add(long generation, IReadOnlyList<(EntryKind Kind, TreeEdit Edit)> edits, IReadOnlyList<SeenEntry> files, DirtyPart part)
    {
        lock (_gate)
        {
            foreach (var (kind, edit) in edits)
                Add(generation, kind, edit.Key, edit.Value, part.OriginOf(kind, edit.Key));

            // What is residue shows at the end of a transaction, and may have been told before.
            foreach (var file in files)
            {
                if (part.OriginOf(EntryKind.File, file.Key) is { Membership: TransactionMembership.Residue } origin)
                    Add(generation, EntryKind.File, file.Key, file.Value, origin);
            }

            while (_bytes > MaxBytes)
            {
                Dequeue();
                Interlocked.Increment(ref _dropped);
            }
        }
    }

    /// <param name="number">Of the first record wanted; after the call, of the first one there is.</param>
    public IReadOnlyList<AttributedChange> From(ref long number, int most)
    {
        lock (_gate)
        {
            number = Math.Max(number, _first);
            return [.. _changes.Skip((int)(number - _first)).Take(most).Select(change => change.Change)];
        }
    }

    /// <summary>The collector has a head, and the records that were told before it.</summary>
    public void Stored(long generation)
    {
        lock (_gate)
        {
            while (_changes.TryPeek(out var oldest) && oldest.Generation <= generation)
                Dequeue();
        }
    }

    private void Add(long generation, EntryKind kind, byte[] key, byte[]? fingerprint, ChangeOrigin? origin)
    {
        if (origin is null)
            return;
        var change = new AttributedChange(kind, key, fingerprint, origin);
        _changes.Enqueue((generation, change));
        _bytes += Size(change);
    }

    private void Dequeue()
    {
        _bytes -= Size(_changes.Dequeue().Change);
        _first++;
    }

    private static int Size(AttributedChange change) => change.Key.Length + (change.Fingerprint?.Length ?? 0) + Overhead;
}
