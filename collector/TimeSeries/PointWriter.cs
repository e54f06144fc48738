using Telemetry.Collector.Alerts;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Carries queued points to the store of points, in batches, several at a time, until it has them.</summary>
/// <remarks>While it is down points wait in the queue. What it refuses for good is set aside with its words and does not hold up the rest.</remarks>
internal sealed partial class PointWriter(
    ITimeSeriesStore target, PointQueue queue, SetAsideFile setAside, TimeSeriesBoard board, NoticeBoard notices, TimeProvider time, ILogger<PointWriter> logger)
    : BackgroundService
{
    /// <summary>What the alert is about.</summary>
    public const string Subject = "timeseries";

    /// <summary>As many as keep a server busy; more would wait there, with memory of ours.</summary>
    private const int InFlight = 4;

    /// <summary>Where the servers' throughput levels off.</summary>
    private const int BatchLines = 10_000;

    /// <summary>Before it is compressed: the least that a server takes by default is 10 MiB.</summary>
    private const long BatchBytes = 8 << 20;

    /// <summary>How long points wait for others to fill their batch.</summary>
    private static readonly TimeSpan GatherTime = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _taking = new(1);
    private readonly SemaphoreSlim _asking = new(1);
    private readonly Lock _gate = new();
    private int _failures;
    private TimeSpan _delay;
    private long _failedAt;

    public override void Dispose()
    {
        base.Dispose();
        _taking.Dispose();
        _asking.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var senders = Enumerable.Range(0, InFlight).Select(_ => SendAllAsync(ending.Token)).ToList();

        // One that fails as nobody foresaw ends the others, and the program: they would go on as if nothing were.
        await Task.WhenAny(senders);
        await ending.CancelAsync();
        await Task.WhenAll(senders);
    }

    private async Task SendAllAsync(CancellationToken stopping)
    {
        // Outside, for when the disk fails: they are this sender's until they are done.
        PointParcel? parcel = null;
        IReadOnlyList<RefusedParcel>? refused = null;
        await StoreFailures.OutliveAsync(
            async cancellation =>
            {
                while (true)
                {
                    parcel ??= await NextAsync(cancellation);
                    refused ??= await WriteAsync(parcel, cancellation);
                    await queue.DoneAsync(parcel, refused);
                    (parcel, refused) = (null, null);
                }
            },
            time, logger, stopping);
    }

    /// <summary>One sender at a time waits for the batch that comes next.</summary>
    private async Task<PointParcel> NextAsync(CancellationToken stopping)
    {
        await _taking.WaitAsync(stopping);
        try
        {
            while (true)
            {
                // Taken before the look, so that points added in between are not slept through.
                var added = queue.Added;
                var bytes = Math.Min(BatchBytes, queue.Limit / (2 * InFlight));
                if (await queue.TakeAsync(BatchLines, bytes, onlyFull: true) is { } full)
                    return full;
                await Task.Delay(GatherTime, time, stopping);
                if (await queue.TakeAsync(BatchLines, bytes, onlyFull: false) is { } some)
                    return some;
                await added.WaitAsync(stopping);
            }
        }
        finally
        {
            _taking.Release();
        }
    }

    /// <returns>What the server will never take; it has the rest.</returns>
    private async Task<IReadOnlyList<RefusedParcel>> WriteAsync(PointParcel all, CancellationToken stopping)
    {
        var search = new RefusalSearch(all);
        while (search.Next is { } parcel)
            search.Take(await AskAsync(parcel, stopping));

        var refused = search.Refused;
        board.CountLeftOut(search.LeftOut);
        if (refused.Count > 0)
        {
            setAside.Add(refused);
            var lines = refused.Sum(parcel => parcel.Parcel.LineCount);
            board.CountSetAside(lines);
            Log.Refused(logger, target.Name, lines, refused[0].Words, setAside.FilePath);
        }

        return refused;
    }

    /// <summary>Asks until there is an answer about these lines. While the server takes nothing, one sender asks for all.</summary>
    private async Task<WriteDecision> AskAsync(PointParcel parcel, CancellationToken stopping)
    {
        while (true)
        {
            var isAlone = board.State.Trouble is not null;
            if (isAlone)
                await _asking.WaitAsync(stopping);
            try
            {
                if (isAlone && Pause() is var pause && pause > TimeSpan.Zero)
                    await Task.Delay(pause, time, stopping);

                var begun = time.GetTimestamp();
                var decision = await target.WriteAsync(parcel, stopping);
                if (decision.Action == WriteAction.Create)
                    continue;
                if (decision.Action is not (WriteAction.Wait or WriteAction.NotAllowed or WriteAction.Misconfigured))
                {
                    Works();
                    return decision;
                }

                Fails(decision, begun);
            }
            finally
            {
                if (isAlone)
                    _asking.Release();
            }
        }
    }

    private TimeSpan Pause()
    {
        lock (_gate)
            return board.State.Trouble is null ? TimeSpan.Zero : _delay - time.GetElapsedTime(_failedAt);
    }

    private void Fails(WriteDecision decision, long begun)
    {
        lock (_gate)
        {
            // Requests that were on their way together fail together, once.
            if (_failures > 0 && begun < _failedAt)
                return;
            _failures++;
            _failedAt = time.GetTimestamp();
            _delay = BackOff.Delay(decision, _failures, Random.Shared.NextDouble());
        }

        // Before it counts as told: on a full disk it can't be, yet.
        if (decision.Action != WriteAction.Wait)
            notices.Raise(Subject, $"{target.Name} takes no points until somebody changes something: {decision.Words}. They wait on disk, up to timeseries.queue_mib");
        if (board.Fails(decision))
            Log.Down(logger, target.Name, decision.Words);
    }

    private void Works()
    {
        lock (_gate)
            _failures = 0;
        if (board.Works())
            Log.Up(logger, target.Name);
        notices.Resolve(Subject, $"{target.Name} takes points again");
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Store} does not take points: {Reason}. They wait on disk, up to timeseries.queue_mib; then the oldest give way. Deviations and alerts are not affected")]
        public static partial void Down(ILogger logger, string store, string reason);

        [LoggerMessage(2, LogLevel.Information, "{Store} takes points again")]
        public static partial void Up(ILogger logger, string store);

        [LoggerMessage(3, LogLevel.Error, "{Store} refused {Lines} points for good, the first with these words: {Words}. They are set aside in {Path}, each with its reason; the others were written")]
        public static partial void Refused(ILogger logger, string store, long lines, string words, string path);
    }
}
