using Microsoft.Extensions.Logging;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Spool;

/// <summary>
/// Records in the order they came, kept until they are acknowledged: on disk, and in memory as long as the disk can't be written to.
/// Survives a kill at any point. Full: the oldest give way; what they were is told with the next record.
/// </summary>
internal sealed partial class SpoolLane : IDisposable
{
    private const int MemoryBytes = 4 << 20;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private readonly SpoolDirectory _spool;
    private readonly string _path;
    private readonly int _memoryRecords;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;

    private readonly List<Segment> _segments = [];
    private readonly Queue<SpoolRecord> _memory = [];
    private readonly Dictionary<(long Hour, LossCause Cause), ulong> _pending = [];

    // Their files are made whole, or deleted, once it is written what they lost.
    private readonly List<Segment> _toRepair = [];

    private HeadPosition _last, _done;
    private Tally _tally, _written;
    private long _memoryBytes, _dropped, _damaged;
    private string? _failure;
    private long _failedAt;  // of the clock that nobody sets

    /// <param name="memoryRecords">At most so many are kept in memory.</param>
    public SpoolLane(SpoolDirectory spool, string path, int memoryRecords, TimeProvider clock, ILogger log)
    {
        _spool = spool;
        _path = path;
        _memoryRecords = memoryRecords;
        _clock = clock;
        _log = log;
        Open();
    }

    public string Directory => _path;

    /// <summary>The newest record, acknowledged or not; sequence 0 when this epoch has none.</summary>
    public HeadPosition Last
    {
        get
        {
            lock (_spool.Gate)
                return _last;
        }
    }

    /// <summary>This record and all before it are not needed any more: they are acknowledged, or gave way.</summary>
    public HeadPosition Done
    {
        get
        {
            lock (_spool.Gate)
                return _done;
        }
    }

    /// <summary>Units that were never acknowledged and will never be sent, since the start.</summary>
    public long Lost => Dropped + Interlocked.Read(ref _damaged);

    /// <summary>Units that gave way to newer ones, since the start.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    internal long Bytes => _segments.Sum(segment => segment.Size);

    /// <param name="units">Points, or changes.</param>
    public void Append(DateTimeOffset time, int units, byte[] payload)
    {
        lock (_spool.Gate)
            Add(time, (uint)units, payload);
    }

    /// <summary>The record after the one that was read last.</summary>
    public SpoolRecord? Read(ref SpoolCursor cursor)
    {
        lock (_spool.Gate)
        {
            if (cursor.Last < _done)
                cursor = new SpoolCursor(_done);
            while (SegmentAfter(cursor.Last) is { } segment)
            {
                if (ReadFrom(segment, ref cursor) is { } record)
                    return record;
            }

            foreach (var record in _memory)
            {
                if (record.Position <= cursor.Last)
                    continue;
                cursor = new SpoolCursor(record.Position);
                return record;
            }

            return null;
        }
    }

    /// <summary>This record and all before it are stored elsewhere, or of no use.</summary>
    public void Acked(HeadPosition position)
    {
        lock (_spool.Gate)
        {
            if (position <= _done || position > _last)
                return;
            _done = position;
            Free();
        }
    }

    /// <summary>Nobody wants what waits. What it was is told with the next record.</summary>
    public void Discard()
    {
        lock (_spool.Gate)
        {
            foreach (var (loss, isPassedOn) in _segments.SelectMany(WhatWaits).ToList())
                Lose(isPassedOn || loss.Cause != LossCause.Full ? loss : loss with { Cause = LossCause.NotWanted });
            foreach (var record in _memory)
            {
                Lose(new SpoolLoss(record.Hour, LossCause.NotWanted, record.Units));
                foreach (var loss in record.Losses)
                    Lose(loss);
            }

            Acked(_last);
        }
    }

    /// <summary>Whether the other side has a position that is not behind ours: it would take what waits for old.</summary>
    public bool IsBehind(HeadPosition watermark)
    {
        lock (_spool.Gate)
        {
            return watermark > _last || (FirstWaiting() is { } first && first.Epoch < watermark.Epoch && _last.Epoch != watermark.Epoch
                && !_segments.Exists(segment => segment.Epoch == watermark.Epoch));
        }
    }

    /// <summary>Counts anew in a higher epoch, also what waits.</summary>
    public void Renumber(ulong aboveEpoch)
    {
        lock (_spool.Gate)
        {
            var until = _last;
            Renew(Math.Max(aboveEpoch, _last.Epoch));
            var cursor = default(SpoolCursor);
            while (Read(ref cursor) is { } record && record.Position <= until)
            {
                foreach (var loss in record.Losses)
                    Lose(loss);

                // Written with the copy: whenever this is killed, one of the two is there.
                _done = record.Position;
                Add(record.Time, record.Units, record.Payload);
                Free();
            }
        }
    }

    public SpoolLaneStatus Status()
    {
        lock (_spool.Gate)
        {
            var cursor = default(SpoolCursor);
            return new SpoolLaneStatus(
                Path.GetFileName(_path),
                _segments.Sum(Waiting) + _memory.Count,
                Bytes + _memoryBytes,
                Read(ref cursor)?.Time,
                Dropped,
                Interlocked.Read(ref _damaged),
                _failure);
        }
    }

    public void Dispose()
    {
        lock (_spool.Gate)
            _segments.ForEach(segment => segment.Dispose());
    }

    private void Free()
    {
        while (_memory.TryPeek(out var oldest) && oldest.Position <= _done)
            Forget();

        // The newest segment says how far counting has come.
        Delete(_segments.TakeWhile(segment => segment != _segments[^1] && segment.Last <= _done).ToList());
    }

    private Segment? SegmentAfter(HeadPosition position) => _segments.Find(segment => segment.Last > position);

    private SpoolRecord? ReadFrom(Segment segment, ref SpoolCursor cursor)
    {
        var (offset, sequence, tally) = cursor.Segment == segment
            ? (cursor.Offset, cursor.Last.Sequence + 1, cursor.Tally)
            : (Segment.HeaderLength, segment.First, segment.Start);
        while (true)
        {
            var position = new HeadPosition(segment.Epoch, sequence);
            if (segment.Read(ref offset, sequence, withPayload: position > cursor.Last) is not { } record)
            {
                Cut(segment, offset, sequence - 1, tally);
                return null;
            }

            tally = Tally.At(record);
            if (position > cursor.Last)
            {
                cursor = new SpoolCursor(position, segment, offset, tally);
                return record;
            }

            sequence++;
        }
    }

    private long Waiting(Segment segment) => segment.Last <= _done
        ? 0
        : (long)(segment.LastSequence - (segment.Epoch == _done.Epoch ? Math.Max(segment.First - 1, _done.Sequence) : segment.First - 1));

    private HeadPosition? FirstWaiting() =>
        SegmentAfter(_done) is { } segment ? new HeadPosition(segment.Epoch, segment.First)
        : _memory.TryPeek(out var record) ? record.Position : null;
}
