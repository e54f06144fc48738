using System.Buffers.Binary;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Watch;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>One entry that became different, and where that came from.</summary>
/// <param name="Fingerprint">Encoded; null: it is gone.</param>
internal sealed record AttributedChange(EntryKind Kind, byte[] Key, byte[]? Fingerprint, ChangeOrigin Origin);

/// <summary>
/// Where the changes of heads came from that the collector does not have yet, in the spool: who made a change is not found out
/// again after a restart.
/// </summary>
/// <param name="encode">As many of the first as one message takes, and how many these are.</param>
/// <param name="headGeneration">Of the newest head when this agent started; 0: there was none.</param>
internal sealed class ChangeLog(SpoolLane lane, Func<IEnumerable<AttributedChange>, (byte[] Batch, int Changes)> encode, TimeProvider clock, long headGeneration)
{
    private const int GenerationLength = sizeof(long);

    // What was written before the start belongs to a head that there is, or to the next one, whatever became of the state.
    private readonly HeadPosition _earlier = lane.Last;

    private readonly Lock _gate = new();
    private SpoolCursor _stored;

    /// <summary>Changes that were dropped for want of room, since the start.</summary>
    public long Dropped => lane.Dropped;

    /// <param name="generation">Of the head that has the changes.</param>
    /// <param name="found">What was looked at as it is now, different or not.</param>
    /// <param name="part">What was looked at.</param>
    /// <param name="seenUntil">The end of the last look at everything, which does not know who changed what it sees.</param>
    public void Add(
        long generation, IReadOnlyList<(EntryKind Kind, TreeEdit Edit)> edits, IEnumerable<(EntryKind Kind, TreeEdit Edit)> found, DirtyPart part, DateTimeOffset seenUntil = default)
    {
        var changes = new List<AttributedChange>();
        foreach (var (kind, edit) in edits)
        {
            if (part.OriginOf(kind, edit.Key) is { } origin)
                changes.Add(new AttributedChange(kind, edit.Key, edit.Value, origin));
        }

        foreach (var (kind, edit) in found)
        {
            if (part.LateOriginOf(kind, edit.Key, seenUntil) is { } origin)
                changes.Add(new AttributedChange(kind, edit.Key, edit.Value, origin));
        }

        for (var (told, count) = (0, 0); told < changes.Count; told += count)
        {
            (var batch, count) = encode(changes.Skip(told));
            var payload = new byte[GenerationLength + batch.Length];
            BinaryPrimitives.WriteInt64LittleEndian(payload, generation);
            batch.CopyTo(payload, GenerationLength);
            lane.Append(clock.GetUtcNow(), count, payload);
        }
    }

    /// <summary>The batch after the one that was read last; null when there is none.</summary>
    public ReadOnlyMemory<byte>? Next(ref SpoolCursor cursor) => Read(ref cursor)?.Payload.AsMemory(GenerationLength);

    /// <summary>The collector has a head, and the records that were told before it.</summary>
    public void Stored(long generation)
    {
        lock (_gate)
        {
            var next = _stored;
            while (Read(ref next) is { } record && Generation(record) <= generation)
                _stored = next;
            lane.Acked(_stored.Last);
        }
    }

    /// <remarks>One without a batch keeps nothing but the lane's counting.</remarks>
    private SpoolRecord? Read(ref SpoolCursor cursor)
    {
        SpoolRecord? record;
        do
            record = lane.Read(ref cursor);
        while (record is { Payload.Length: 0 });
        return record;
    }

    private long Generation(SpoolRecord record)
    {
        var generation = BinaryPrimitives.ReadInt64LittleEndian(record.Payload);
        return record.Position <= _earlier ? Math.Min(generation, headGeneration + 1) : generation;
    }
}
