using Microsoft.Extensions.Logging;
using Telemetry.Agent.Spool;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Health;

/// <summary>Samples not yet acknowledged, in the spool. Full: the oldest give way, and are told as lost.</summary>
/// <param name="encode">As it is sent, in one message or several, but for their numbers.</param>
/// <param name="hasCollector">Without one nobody has a use for samples.</param>
internal sealed partial class HealthQueue(
    SpoolLane lane, Func<HealthSample, IEnumerable<HealthPart>> encode, bool hasCollector, ILogger<HealthQueue> log, TimeProvider? clock = null)
{
    // What comes before metrics must not wait behind thousands of them in the collector: an hour without it are hundreds.
    private const int MostOnTheWay = 16;
    private const int MostBytesOnTheWay = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Queue<(HeadPosition Position, int Bytes, long SentAt)> _onTheWay = [];
    private readonly string _wantedFile = Path.Combine(lane.Directory, "wanted");
    private Wanted? _wanted;
    private SpoolCursor _sent;
    private int _bytesOnTheWay;
    private TimeSpan? _ackLatency;

    /// <summary>Raised when there is something to send.</summary>
    public event Action? Changed;

    /// <summary>
    /// Whether the collector has a use for samples. Before it said so, what it said last holds: samples are also the evidence
    /// that the machine was up while nobody could be told.
    /// </summary>
    public bool IsWanted => What == Wanted.Metrics;

    /// <summary>Whether it has a use for samples at least as evidence, though they have no points.</summary>
    public bool IsPresenceWanted => What != Wanted.Nothing;

    /// <summary>Points that gave way to newer ones.</summary>
    public long Dropped => lane.Dropped;

    /// <summary>Of what was acknowledged last, since it was sent; null before.</summary>
    public TimeSpan? AckLatency
    {
        get
        {
            lock (_gate)
                return _ackLatency;
        }
    }

    public void Add(HealthSample sample)
    {
        foreach (var part in encode(sample))
            lane.Append(sample.Time, part.Points, part.Payload);
        Changed?.Invoke();
    }

    /// <summary>A stream begins: what was sent on another one and not acknowledged is sent again.</summary>
    public void Begin(bool isWanted, ulong watermarkEpoch, ulong watermarkSequence, bool isPresenceWanted = false)
    {
        lock (_gate)
        {
            Want(isWanted ? Wanted.Metrics : isPresenceWanted ? Wanted.Presence : Wanted.Nothing);
            _sent = default;
            _onTheWay.Clear();
            _bytesOnTheWay = 0;
            var watermark = new HeadPosition(watermarkEpoch, watermarkSequence);
            if (!IsPresenceWanted)
                lane.Discard();
            else if (lane.IsBehind(watermark))
                lane.Renumber(watermarkEpoch);
            else
                lane.Acked(watermark);
        }
    }

    /// <summary>The next record that was not sent on this stream; null too while enough is sent and not acknowledged.</summary>
    public SpoolRecord? Next()
    {
        lock (_gate)
        {
            if (_onTheWay.Count >= MostOnTheWay || _bytesOnTheWay >= MostBytesOnTheWay || lane.Read(ref _sent) is not { } record)
                return null;
            _onTheWay.Enqueue((record.Position, record.Payload.Length, _clock.GetTimestamp()));
            _bytesOnTheWay += record.Payload.Length;
            return record;
        }
    }

    public void Acked(ulong epoch, ulong sequence)
    {
        var position = new HeadPosition(epoch, sequence);
        lock (_gate)
        {
            while (_onTheWay.TryPeek(out var oldest) && oldest.Position <= position)
            {
                _bytesOnTheWay -= _onTheWay.Dequeue().Bytes;
                _ackLatency = _clock.GetElapsedTime(oldest.SentAt);
            }
        }

        lane.Acked(position);
    }

    // Empty: metrics. So versions write it that know nothing else.
    private Wanted What => _wanted ??= !hasCollector || !File.Exists(_wantedFile)
        ? Wanted.Nothing
        : new FileInfo(_wantedFile).Length == 0 ? Wanted.Metrics : Wanted.Presence;

    private void Want(Wanted wanted)
    {
        if (wanted == What)
            return;
        _wanted = wanted;
        try
        {
            PrivateDirectory.Create(lane.Directory);
            if (wanted == Wanted.Nothing)
                File.Delete(_wantedFile);
            else
                File.WriteAllText(_wantedFile, wanted == Wanted.Metrics ? "" : "presence\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotKept(log, _wantedFile, e.Message);
        }
    }

    private enum Wanted
    {
        Nothing,

        /// <summary>When this machine runs, and nothing else of it.</summary>
        Presence,

        Metrics,
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Path} can't be written to ({Reason}): after a restart, metrics are sampled as before until the collector is reached")]
        public static partial void NotKept(ILogger log, string path, string reason);
    }
}

/// <summary>What of a sample is sent in one message.</summary>
/// <param name="Points">How many.</param>
internal readonly record struct HealthPart(int Points, byte[] Payload);
