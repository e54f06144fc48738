using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Supervision;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>Looks at everything at start and now and then, and in between at what changed.</summary>
internal sealed partial class ScanLoop(
    ScanPlan plan,
    RulesInForce rules,
    DirtyPaths dirty,
    ChangeWatcher watcher,
    StateStore store,
    ChangeLog changes,
    LossLog losses,
    HeavyWork heavy,
    ScanOptions options,
    [FromKeyedServices("scan")] LoopPulse pulse,
    TimeProvider clock,
    ILogger<ScanLoop> log) : BackgroundService
{
    // A scan of a large tree leaves garbage that would stay resident until the next one.
    private const int ManyEntries = 10_000;

    // A file that is larger is read again at this pace at most, however often it changes.
    private const ulong LargeFile = 4 << 20;
    private const double RereadBytesPerSecond = 16 << 20;

    // Hard links are made in passing, too, by package managers for one: those are gone by then.
    private static readonly TimeSpan UnknownNamesAfter = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan PutOff = TimeSpan.FromSeconds(1);

    // Until then the kernel's words of what a look at everything saw are read.
    private static readonly TimeSpan LongestLate = TimeSpan.FromSeconds(10);

    // Who keeps a file open for writing need not write; when it can be read is told by nobody.
    private static readonly TimeSpan UnstableAfter = TimeSpan.FromSeconds(2.5);

    private readonly ClockGaps _gaps = new(clock);
    private string? _lastFailure;
    private HeadPosition _lastHead;
    private DateTimeOffset _everythingDue, _factsDue, _seenUntil;
    private DateTimeOffset? _putOffSince, _halfwaySince;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // For how long it watched after its last look at everything, what it kept does not prove.
        if (store.Ledger.LookStartedAt is { } seen)
            dirty.AddEverything(seen, "the agent was not running for some of it");
        while (!stoppingToken.IsCancellationRequested)
        {
            using var hurry = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, rules.Changed);

            // A thread of its own: a scan blocks for as long as the disk does.
            await Task.Factory.StartNew(
                () => LookAndTidyUp(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await WaitAsync(hurry.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WaitAsync(CancellationToken cancellation)
    {
        while (true)
        {
            pulse.Beat();
            if (_gaps.Check() is { } before)
                dirty.AddEverything(before, "the machine was suspended, or its clock was set");
            var next = _everythingDue < _factsDue ? _everythingDue : _factsDue;
            var wait = next - clock.GetUtcNow();
            if (wait <= TimeSpan.Zero)
                return;
            if (wait > LoopPulse.LongestSilence)
                wait = LoopPulse.LongestSilence;

            // What is marked waits, too, for a root that can be opened.
            if (_lastFailure is not null)
                await Task.Delay(wait, clock, cancellation);
            else if (await dirty.WaitAsync(wait, cancellation))
                return;
        }
    }

    private void LookAndTidyUp(CancellationToken cancellation)
    {
        Look(cancellation);
        store.TidyUp();
    }

    private void Look(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var taken = dirty.Take();

        // Nothing was missed, so it waits as one does that is due.
        if (taken.Loss is { Reason: null } && rules.AreLookedAt && PutsOff(now))
            taken = dirty.Take();
        try
        {
            // First the parts: of them it is known who changed them.
            var areParts = taken.Loss is null && rules.AreLookedAt && LookAtParts(taken, now >= _factsDue, cancellation);
            if (!areParts || (now >= _everythingDue && !PutsOff(now)))
                LookAtEverything(areParts ? DirtyPart.Nothing : taken, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The next start looks at everything.
        }
        catch (ScanRootException e)
        {
            // It may be mounted later; what was known stays known until then.
            if (e.Message != _lastFailure)
                Log.Failed(log, e.Message);
            _lastFailure = e.Message;
            _everythingDue = _factsDue = clock.GetUtcNow() + options.Interval;
        }
    }

    /// <summary>A look at everything would tell of packages that are half installed.</summary>
    private bool PutsOff(DateTimeOffset now)
    {
        if (!watcher.IsInTransaction || now - (_putOffSince ??= now) >= TransactionTracker.LongestWait)
            return false;
        _everythingDue = now + PutOff;
        return true;
    }

    private void LookAtEverything(DirtyPart taken, CancellationToken cancellation)
    {
        using var turn = heavy.Take(pulse.Beat, cancellation);
        var started = clock.GetTimestamp();
        var progress = new ScanProgress();
        using var beats = Beat(progress);
        var goingBy = rules.Current;
        try
        {
            var scan = plan.Under(goingBy.Policy, goingBy.Key, clock, taken);
            var ledger = store.Look(scan, progress, cancellation);
            rules.LookedAt(goingBy);
            foreach (var window in ledger.Head!.Coverage.LossWindows)
                losses.Add(window);
            store.Wake();
            _lastFailure = null;

            // Of what was seen now, the parts tell who changed it; where changes were missed, nobody does.
            _seenUntil = taken.Loss?.Reason is null ? clock.GetUtcNow() : default;
            if (taken.Loss is null)
                dirty.PutBack(taken);
            LookAgainLater(progress, taken, ledger.LookStartedAt!.Value);
            Report(ledger.Head!, progress, clock.GetElapsedTime(started), isRoutine: taken.Loss is { Reason: null } && _lastHead != default);
        }
        catch
        {
            dirty.PutBack(taken);
            throw;
        }

        _putOffSince = null;
        _factsDue = clock.GetUtcNow() + options.Interval;
        _everythingDue = clock.GetUtcNow() + (watcher.IsComplete ? options.Rescan : options.Interval);
        if (progress.Entries > ManyEntries)
            ProcessMemory.GiveBack();
    }

    /// <returns>False when everything has to be looked at instead.</returns>
    private bool LookAtParts(DirtyPart taken, bool facts, CancellationToken cancellation)
    {
        if (taken.Parts.Count == 0 && !facts)
            return true;

        var started = clock.GetTimestamp();
        var progress = new ScanProgress();
        using var beats = Beat(progress);
        var goingBy = rules.Current;
        var halfway = PackagesHalfway(taken);
        var scan = plan.PartsUnder(goingBy.Policy, goingBy.Key, clock, taken.Parts, facts, packages: halfway.Count == 0);
        var seenUntil = clock.GetUtcNow() - _seenUntil < LongestLate ? _seenUntil : default;
        var observedAfter = taken.UnchangedUntil ?? store.Ledger.LookStartedAt ?? clock.GetUtcNow();
        HeadLedger? ledger;
        try
        {
            ledger = store.LookAgain(scan, observedAfter, (generation, edits) => changes.Add(generation, edits, scan.Find(taken, seenUntil), taken, seenUntil), progress, cancellation);
        }
        catch
        {
            dirty.PutBack(taken);
            throw;
        }

        if (ledger is not { Head: { } head })
            return false;

        _lastFailure = null;
        if (facts)
            _factsDue = clock.GetUtcNow() + options.Interval;
        LookAgainLater(progress, taken, observedAfter);
        foreach (var part in halfway)
        {
            dirty.Postpone(part.Key, PutOff);
            dirty.Add(part.Key, part.IsDeep, observedAfter, origin: taken.OriginOf(EntryKind.File, part.Key.Bytes));
        }

        foreach (var file in scan.Seen.Where(entry => entry.Kind == EntryKind.File))
        {
            if (Fingerprint.Decode(file.Value).Size is { } size and > LargeFile)
                dirty.Postpone(new EntryKey(file.Key), TimeSpan.FromSeconds(size / RereadBytesPerSecond));
        }

        var soon = clock.GetUtcNow() + UnknownNamesAfter;
        if (plan.Names.HasUnknown && soon < _everythingDue)
            _everythingDue = soon;
        if (head.Position == _lastHead)
        {
            // Who changed what a look at everything saw.
            store.Wake();
            return true;
        }

        Log.Changed(log, head.Position, taken.Parts.Count, progress.FilesRead, clock.GetElapsedTime(started).TotalMilliseconds);
        _lastHead = head.Position;
        return true;
    }

    /// <summary>
    /// Parts of a package database that somebody changes right now, whose first change came before his lock was noticed: what it says is
    /// no state to tell, and until his transaction is reported nobody knows that it is his. Then all of it is looked at.
    /// </summary>
    private IReadOnlyList<LookPart> PackagesHalfway(DirtyPart taken)
    {
        var parts = taken.Parts.Where(part => PackageDatabases.Hold(part.Key)).ToList();
        if (parts.Count == 0 || !(watcher.IsInTransaction || plan.PackagesAreChanging))
        {
            _halfwaySince = null;
            return [];
        }

        var now = clock.GetUtcNow();
        return now - (_halfwaySince ??= now) < TransactionTracker.LongestWait ? parts : [];
    }

    private void LookAgainLater(ScanProgress progress, DirtyPart taken, DateTimeOffset observedAfter)
    {
        foreach (var part in progress.Restless)
        {
            dirty.Postpone(part.Key, UnstableAfter);
            dirty.Add(part.Key, part.IsDeep, observedAfter, origin: taken.OriginOf(EntryKind.File, part.Key.Bytes));
        }
    }

    /// <param name="isRoutine">Filesystems come and go, and nothing was missed: where containers run, several times a second.</param>
    private void Report(LocalHead head, ScanProgress progress, TimeSpan time, bool isRoutine)
    {
        if (head.Position == _lastHead)
        {
            Log.NothingNew(log, head.Position, progress.Entries, progress.FilesRead, time.TotalSeconds);
            return;
        }

        _lastHead = head.Position;
        Log.NewHead(log, isRoutine ? LogLevel.Debug : LogLevel.Information, head.Position, progress.Entries, progress.FilesRead, progress.Bytes, time.TotalSeconds);
        if (head.Coverage.Gaps.Length > 0)
        {
            var gap = head.Coverage.Gaps[0];
            Log.Gaps(log, head.Coverage.Gaps.Length, KeyText.Format(gap.Kind, gap.Prefix.Bytes), gap.Reason);
        }
    }

    /// <summary>A scan moves as long as its counters do.</summary>
    private ITimer Beat(ScanProgress progress)
    {
        var before = (Entries: -1L, Bytes: -1L);
        return clock.CreateTimer(
            _ =>
            {
                var now = (progress.Entries, progress.Bytes);
                if (now != before)
                    pulse.Beat();
                before = now;
            },
            null,
            TimeSpan.Zero,
            LoopPulse.LongestSilence);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Message = "New head {Position}: {Entries} entries; read {Files} files, {Bytes} bytes in {Seconds:F1} s")]
        public static partial void NewHead(ILogger log, LogLevel level, HeadPosition position, long entries, long files, long bytes, double seconds);

        [LoggerMessage(2, LogLevel.Warning, "{Count} parts are not covered, the first is {Prefix}: {Reason}")]
        public static partial void Gaps(ILogger log, int count, string prefix, string reason);

        [LoggerMessage(4, LogLevel.Debug, "Head {Position} still holds: {Entries} entries; read {Files} files in {Seconds:F3} s")]
        public static partial void NothingNew(ILogger log, HeadPosition position, long entries, long files, double seconds);

        [LoggerMessage(5, LogLevel.Debug, "New head {Position}: {Parts} parts changed; read {Files} files in {Milliseconds:F1} ms")]
        public static partial void Changed(ILogger log, HeadPosition position, int parts, long files, double milliseconds);

        [LoggerMessage(3, LogLevel.Error, "{Reason} The agent tries again at every scan; what it reported before still stands")]
        public static partial void Failed(ILogger log, string reason);
    }
}
