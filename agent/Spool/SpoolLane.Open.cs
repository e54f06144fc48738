using Microsoft.Extensions.Logging;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Spool;

internal sealed partial class SpoolLane
{
    /// <summary>Goes on with what the last one left, however it ended, and counts anew.</summary>
    /// <remarks>
    /// More may have been sent and acknowledged than there is: what was in memory, or not on the disk yet when the machine lost its
    /// power. Its numbers are not given to other records, which would be taken for acknowledged.
    /// </remarks>
    private void Open()
    {
        var found = Files().Select(Segment.Open).ToList();
        if (found.FindLast(segment => !segment.IsEmpty) is { } newest)
            (_last, _done, _written) = (newest.Last, newest.Done, newest.End);
        Renew(found.Select(segment => segment.Epoch).DefaultIfEmpty().Max());

        var known = default(Tally);
        for (var i = 0; i < found.Count; i++)
        {
            var segment = found[i];
            if (!segment.IsEmpty)
                known = segment.End;
            else if (i > 0 && found[i - 1].Epoch != segment.Epoch)
                known = default;
            if (found.Skip(i + 1).FirstOrDefault(later => !later.IsEmpty) is { } next)
            {
                if (IsDone(segment, next))
                {
                    Delete([segment]);
                    continue;
                }

                if (segment.IsDamaged)
                {
                    known = WithDone(segment, segment.Length, segment.LastSequence, known);
                    Damaged(segment, next.Before with { Collected = next.Before.Since(known) });
                    known = next.Before;
                }
            }
            else if (segment.IsDamaged)
            {
                Torn(segment);
            }

            if (!segment.IsEmpty)
                _segments.Add(segment);
        }
    }

    private IReadOnlyList<string> Files()
    {
        try
        {
            return System.IO.Directory.Exists(_path)
                ? [.. System.IO.Directory.GetFiles(_path, "*" + Segment.Extension).Order(StringComparer.Ordinal)]
                : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Failed(e.Message);
            return [];
        }
    }

    /// <summary>Whether nothing of it is needed any more. How far one went that can't be read tells the next one.</summary>
    private bool IsDone(Segment segment, Segment next) =>
        (segment.IsEmpty || segment.IsDamaged ? new HeadPosition(next.Epoch, next.First - 1) : segment.Last) <= _done;

    /// <summary>An end that is not whole.</summary>
    private void Torn(Segment segment)
    {
        if (segment.Size == 0)
        {
            Delete([segment]);
            return;
        }

        var lost = segment.Beyond(segment.IsEmpty ? segment.Before : segment.End) is { } end
            ? end with { Collected = end.Since(segment.IsEmpty ? segment.Before : segment.End) }
            : default;
        _toRepair.Add(segment);
        Log.Torn(_log, segment.Path, segment.Size - segment.Length, lost.Collected);
        Interlocked.Add(ref _damaged, (long)lost.Collected);
        Lose(new SpoolLoss(lost.Hour, LossCause.Damaged, lost.Collected));

        // They were collected in this hour, and are in nobody's count otherwise.
        _tally = lost;
    }

    /// <param name="lost">Units, and of which hour.</param>
    private void Damaged(Segment segment, Tally lost)
    {
        Log.Damaged(_log, segment.Path, segment.Size - segment.Length, lost.Collected);
        Interlocked.Add(ref _damaged, (long)lost.Collected);
        Lose(new SpoolLoss(lost.Hour, LossCause.Damaged, lost.Collected));
        _toRepair.Add(segment);
    }

    /// <summary>What can't be read again is lost, and what follows in the same file.</summary>
    private void Cut(Segment segment, long length, ulong lastSequence, Tally tally)
    {
        var lost = segment.End with { Collected = segment.End.Since(WithDone(segment, length, lastSequence, tally)) };
        segment.Cut(length, lastSequence, tally);
        if (segment.IsEmpty)
            _segments.Remove(segment);
        Damaged(segment, lost);
    }

    /// <summary>What is not needed any more is no loss, as far as the headers behind the damage still say how much it is.</summary>
    /// <param name="offset">Of what can't be read.</param>
    /// <param name="last">The last before it.</param>
    /// <param name="known">With that one.</param>
    private Tally WithDone(Segment segment, long offset, ulong last, Tally known) =>
        segment.Epoch == _done.Epoch ? segment.Beyond(offset, last, known, _done.Sequence) ?? known : known;

    /// <summary>Now that it is written what was lost.</summary>
    private void Repair()
    {
        foreach (var segment in _toRepair)
        {
            try
            {
                segment.Repair();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.NotRepaired(_log, segment.Path, e.Message);
            }
        }

        _toRepair.Clear();
    }

    private void Delete(IReadOnlyList<Segment> segments)
    {
        foreach (var segment in segments)
        {
            _segments.Remove(segment);
            _toRepair.Remove(segment);
            segment.Dispose();
            try
            {
                File.Delete(segment.Path);
            }
            catch (DirectoryNotFoundException)
            {
                // Gone already.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.NotDeleted(_log, segment.Path, e.Message);
            }
        }
    }

    private void Failed(string reason)
    {
        if (_failure is null)
            Log.InMemory(_log, _path, reason);
        _failure = reason;
        _failedAt = _clock.GetTimestamp();
    }

    private void Worked()
    {
        if (_failure is null || _memory.Count > 0)
            return;
        _failure = null;
        Log.OnDisk(_log, _path);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The end of {Path} is not whole: {Bytes} bytes are cut off, and with them {Units} points or changes, as far as that can be told. The records before it are kept and sent")]
        public static partial void Torn(ILogger log, string path, long bytes, ulong units);

        [LoggerMessage(2, LogLevel.Error, "{Path} is damaged: {Bytes} bytes can't be read again, and {Units} points or changes are lost with them. All else is kept and sent; look at the disk")]
        public static partial void Damaged(ILogger log, string path, long bytes, ulong units);

        [LoggerMessage(3, LogLevel.Error, "{Path} can't be written to ({Reason}); what is not acknowledged is kept in memory, and lost when the agent ends. Make room, or the directory writable: it is tried again every 10 seconds")]
        public static partial void InMemory(ILogger log, string path, string reason);

        [LoggerMessage(4, LogLevel.Information, "{Path} can be written to again; what was kept in memory is on disk")]
        public static partial void OnDisk(ILogger log, string path);

        [LoggerMessage(5, LogLevel.Warning, "{Path} could not be made whole ({Reason}); what is whole of it is sent, and the rest may be told as lost once more")]
        public static partial void NotRepaired(ILogger log, string path, string reason);

        [LoggerMessage(6, LogLevel.Warning, "{Path} could not be deleted ({Reason}); after a restart it may be sent again")]
        public static partial void NotDeleted(ILogger log, string path, string reason);
    }
}
