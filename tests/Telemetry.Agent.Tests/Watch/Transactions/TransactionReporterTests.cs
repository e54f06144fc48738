using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Supervision;
using Telemetry.Agent.Watch;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Watch.Transactions;

public sealed class TransactionReporterTests : IDisposable
{
    private readonly TemporaryDirectory _tree = new();
    private readonly TemporaryDirectory _state = new();
    private readonly StateStore _store;

    public TransactionReporterTests() => _store = new StateStore(_state.Path, Scans.StateOptions, TimeProvider.System, NullLogger.Instance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Dispose();
        _state.Dispose();
        _tree.Dispose();
    }

    /// <summary>Until then a look must not tell of packages: it would not know whose their change is.</summary>
    [Fact]
    public async Task Transaction_ThatIsOver_IsPendingUntilItsChangesAreMarked()
    {
        var plan = new ScanPlan(_tree.Path) { Local = Scope.Everything };
        using var dirty = new DirtyPaths(TimeProvider.System);
        using var heavy = new HeavyWork(TimeProvider.System);
        using var reporter = new TransactionReporter(
            plan, _store, dirty, heavy, _state["index.db"], TimeProvider.System, NullLogger<TransactionReporter>.Instance);
        await reporter.StartAsync(Cancellation);
        var now = TimeProvider.System.GetUtcNow();
        var change = new TransactionChange(EntryKey.OfPath("/var/lib/dpkg/status"), IsDeep: false, Belonging.Member, now, new ChangeOrigin(now, By: null));

        // It reports none before the first look.
        Assert.False(reporter.IsPending);
        reporter.Add(new CompletedTransaction("dpkg-1", "dpkg", now, now, [change]));
        Assert.True(reporter.IsPending);
        _store.Look(plan.Under(Scans.NoPolicy, Scans.Key, TimeProvider.System), new ScanProgress(), Cancellation);
        _store.Wake();
        await Eventually.True(() => !reporter.IsPending, "the report", Cancellation);

        Assert.NotNull(dirty.Take().OriginOf(EntryKind.Package, EntryKey.Of("dpkg", "shop", "all").Bytes)?.Transaction);
        await reporter.StopAsync(Cancellation);
    }
}
