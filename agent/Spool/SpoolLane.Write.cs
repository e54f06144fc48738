using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Spool;

internal sealed partial class SpoolLane
{
    // Of a segment that is smaller, another one in its place would take as much.
    private const long WorthGiving = 4096;

    /// <summary>Makes room for more important records.</summary>
    /// <returns>Bytes that are free now.</returns>
    internal long GiveWay(long bytes)
    {
        var before = Bytes;
        if (!_segments.Exists(segment => segment.Size > WorthGiving))
            return 0;
        if (_memory.Count == 0)
            Add(_clock.GetUtcNow(), 0, [], bytes);
        else
            Drop(Oldest(bytes));
        return before - Bytes;
    }

    /// <param name="toGive">Bytes that others need.</param>
    private void Add(DateTimeOffset time, uint units, byte[] payload, long toGive = 0)
    {
        var hour = SpoolRecord.HourOf(time);
        if (hour < _tally.Hour)
            Renew(_last.Epoch);
        if (_memory.Count > 0 && _clock.GetElapsedTime(_failedAt) >= RetryAfter)
            WriteMemory();

        var record = new SpoolRecord
        {
            Position = _last with { Sequence = _last.Sequence + 1 },
            Time = time,
            Units = units,
            Collected = (hour == _tally.Hour ? _tally.Collected : 0) + units,
            Losses = [],
            Payload = payload,
        };
        _last = record.Position;
        _tally = Tally.At(record);
        if (_memory.Count > 0 || !TryWrite(record, isNew: true, toGive))
            Remember(record);
    }

    /// <summary>An epoch higher than all before: what was counted in them is not known for sure, or runs backwards.</summary>
    private void Renew(ulong above)
    {
        _last = new HeadPosition(Math.Max((ulong)_clock.GetUtcNow().ToUnixTimeMilliseconds(), above + 1), 0);
        _tally = default;
    }

    private void WriteMemory()
    {
        while (_memory.TryPeek(out var record) && TryWrite(record, isNew: false))
            Forget();
    }

    /// <summary>One write: the record, what was lost before it, and from where on older ones are needed.</summary>
    private bool TryWrite(SpoolRecord record, bool isNew, long toGive = 0)
    {
        var excess = _spool.MakeRoom(this, Segment.HeaderLength + RecordFormat.Length(record));
        var victims = Oldest(Math.Max(excess, toGive));
        var lost = victims.SelectMany(WhatWaits).ToList();
        try
        {
            if (toGive == 0 && victims.Sum(victim => victim.Size) < excess)
                throw new IOException("No room is left for the spool");

            // A record that was in memory may have been sent, and is not changed any more.
            var told = isNew ? record with { Losses = Merged(lost.Select(what => what.Loss)) } : record;
            Write(told, victims.Count > 0 && victims[^1].Last > _done ? victims[^1].Last : _done, isApart: victims.Contains(_segments.LastOrDefault()!));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Failed(e.Message);
            return false;
        }

        Drop(victims, lost);
        if (isNew)
        {
            _pending.Clear();
            Repair();
        }

        Worked();
        return true;
    }

    /// <param name="isApart">In a file of its own.</param>
    private void Write(SpoolRecord record, HeadPosition done, bool isApart)
    {
        var current = _segments.LastOrDefault();
        if (!isApart
            && current is { IsWritable: true }
            && current.Last == record.Position with { Sequence = record.Position.Sequence - 1 }
            && current.End.Hour == record.Hour
            && current.Length + RecordFormat.Length(record) <= _spool.SegmentLength)
        {
            current.Append(record, done);
        }
        else
        {
            current?.Close();
            _segments.Add(Segment.Create(_path, record, done, _written));
        }

        _written = Tally.At(record);
    }

    private void Remember(SpoolRecord record)
    {
        var bytes = RecordFormat.Length(record);
        while (_memory.Count > 0 && (_memory.Count >= _memoryRecords || _memoryBytes + bytes > MemoryBytes))
        {
            var oldest = Forget();
            Interlocked.Add(ref _dropped, oldest.Units);
            foreach (var loss in oldest.Losses.Append(new SpoolLoss(oldest.Hour, LossCause.Full, oldest.Units)))
                Lose(loss);
        }

        record = record with { Losses = Merged([]) };
        _pending.Clear();
        _memory.Enqueue(record);
        _memoryBytes += RecordFormat.Length(record);
    }

    private SpoolRecord Forget()
    {
        var record = _memory.Dequeue();
        _memoryBytes -= RecordFormat.Length(record);
        return record;
    }

    private List<Segment> Oldest(long bytes)
    {
        var oldest = new List<Segment>();
        foreach (var segment in _segments)
        {
            if (bytes <= 0)
                break;
            oldest.Add(segment);
            bytes -= segment.Size;
        }

        return oldest;
    }

    private void Drop(List<Segment> victims) => Drop(victims, [.. victims.SelectMany(WhatWaits)]);

    private void Drop(List<Segment> victims, List<(SpoolLoss Loss, bool IsPassedOn)> lost)
    {
        if (victims.Count > 0 && victims[^1].Last > _done)
            _done = victims[^1].Last;
        Delete(victims);
        foreach (var (loss, isPassedOn) in lost)
        {
            if (!isPassedOn)
                Interlocked.Add(ref loss.Cause == LossCause.Full ? ref _dropped : ref _damaged, (long)loss.Units);
            Lose(loss);
        }
    }

    /// <summary>All that is lost with a segment, losses that it was to tell of as well.</summary>
    private IEnumerable<(SpoolLoss Loss, bool IsPassedOn)> WhatWaits(Segment segment)
    {
        var (offset, tally) = ((long)Segment.HeaderLength, segment.Start);
        for (var sequence = segment.First; sequence <= segment.LastSequence; sequence++)
        {
            if (segment.Read(ref offset, sequence, withPayload: false) is not { } record)
            {
                yield return (new SpoolLoss(segment.End.Hour, LossCause.Damaged, segment.End.Since(WithDone(segment, offset, sequence - 1, tally))), false);
                yield break;
            }

            tally = Tally.At(record);
            if (record.Position <= _done)
                continue;
            yield return (new SpoolLoss(record.Hour, LossCause.Full, record.Units), false);
            foreach (var loss in record.Losses)
                yield return (loss, true);
        }
    }

    private void Lose(SpoolLoss loss)
    {
        if (loss.Units > 0)
            _pending[(loss.Hour, loss.Cause)] = _pending.GetValueOrDefault((loss.Hour, loss.Cause)) + loss.Units;
    }

    private List<SpoolLoss> Merged(IEnumerable<SpoolLoss> more) => [.. _pending
        .Select(pending => new SpoolLoss(pending.Key.Hour, pending.Key.Cause, pending.Value))
        .Concat(more)
        .GroupBy(loss => (loss.Hour, loss.Cause), (key, losses) => new SpoolLoss(key.Hour, key.Cause, losses.Aggregate(0ul, (sum, loss) => sum + loss.Units)))
        .Where(loss => loss.Units > 0)
        .OrderBy(loss => loss.Hour)];
}
