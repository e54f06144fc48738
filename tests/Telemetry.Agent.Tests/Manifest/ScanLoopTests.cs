using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Supervision;
using Telemetry.Agent.Tests.Spool;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Manifest;

public sealed class ScanLoopTests : IDisposable
{
    private readonly Spools _spools = new();
    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _clock = Scans.LaterClock();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Dispose();
        _spools.Dispose();
    }

    [Fact]
    public async Task Root_ThatIsAwayForAWhile_WhoChangedWhatIsToldOnceItIsBack()
    {
        _folder.Write("root/file", "before");
        var plan = new ScanPlan(_folder["root"]) { Local = Scope.Everything, Settings = false };
        using var rules = new RulesInForce(Directory.CreateDirectory(_folder["state"]).FullName, NullLogger<RulesInForce>.Instance);
        using var store = new StateStore(_folder["state"], Scans.StateOptions, _clock, NullLogger.Instance);
        using var dirty = new DirtyPaths(_clock);
        using var heavy = new HeavyWork(_clock);
        using var actors = new ActorReader("/proc", new UserNames("/", _clock), _clock);
        using var transactions = new TransactionWatch(new PackageLocks(_folder["root"]), new TransactionProcesses("/proc"), new TransactionTracker(), _clock);
        using var reporter = new TransactionReporter(plan, store, dirty, heavy, _folder["index.db"], _clock, NullLogger<TransactionReporter>.Instance);
        var counters = new WatchCounters();
        using var fallback = new DirectoryWatcher(plan, dirty, counters, _clock, NullLogger<DirectoryWatcher>.Instance);
        using var watcher = new ChangeWatcher(
            plan, rules, dirty, actors, transactions, reporter, fallback, counters, _clock, NullLogger<ChangeWatcher>.Instance);
        var changes = new ChangeLog(_spools.Open().Changes, some => (Encoding.ASCII.GetBytes("who"), some.Count()), _clock, headGeneration: 0);
        var log = new Failures();
        var every = new ScanOptions { Interval = TimeSpan.FromSeconds(10), Rescan = TimeSpan.FromSeconds(10) };
        using var loop = new ScanLoop(plan, rules, dirty, watcher, store, changes, new LossLog(), heavy, every, new LoopPulse("scan"), _clock, log);
        await loop.StartAsync(Cancellation);
        await Eventually.True(() => store.Ledger.Head is not null, "the first look", Cancellation);

        Shell.Run(_folder.Path, "echo after > root/file; mv root away");
        dirty.Add(EntryKey.Of("file"), isDeep: false, _clock.GetUtcNow(), origin: new ChangeOrigin(_clock.GetUtcNow(), By: null));
        await Eventually.True(() => log.Count > 0, "a look that fails", Cancellation);
        Shell.Run(_folder.Path, "mv away root");

        var told = default(SpoolCursor);
        await Eventually.True(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
                return store.Ledger.Head!.Position.Sequence > 1;
            },
            "the next look", Cancellation);
        Assert.NotNull(changes.Next(ref told));
        await loop.StopAsync(Cancellation);
    }

    private sealed class Failures : ILogger<ScanLoop>
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error)
                Interlocked.Increment(ref _count);
        }
    }
}
