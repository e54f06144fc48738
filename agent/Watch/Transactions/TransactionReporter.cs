using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Supervision;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch.Transactions;

/// <summary>
/// Holds what a package transaction did against what its packages say, and then marks it to be looked at. Keeps for that which
/// packages there were before, and which files they owned.
/// </summary>
/// <param name="indexFile">See <see cref="PackageFileIndex"/>.</param>
internal sealed partial class TransactionReporter(
    ScanPlan plan, StateStore store, DirtyPaths dirty, HeavyWork heavy, string indexFile, TimeProvider clock, ILogger<TransactionReporter> log) : BackgroundService
{
    private readonly Channel<CompletedTransaction> _completed = Channel.CreateUnbounded<CompletedTransaction>();
    private readonly RpmMemory _rpm = new();
    private Dictionary<EntryKey, Fingerprint> _before = [];
    private int _pending;

    /// <summary>Whether one is over whose changes are not marked yet: a look that sees them now does not know whose they are. For any thread.</summary>
    public bool IsPending => Volatile.Read(ref _pending) > 0;

    public void Add(CompletedTransaction transaction)
    {
        Interlocked.Increment(ref _pending);
        _completed.Writer.TryWrite(transaction);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await FirstHeadAsync(stoppingToken);
        await InThreadAsync(() => Prepare(stoppingToken));
        await foreach (var transaction in _completed.Reader.ReadAllAsync(stoppingToken))
            await InThreadAsync(() => Report(transaction, stoppingToken));
    }

    /// <summary>The first look has the disk and the processors to itself.</summary>
    private async Task FirstHeadAsync(CancellationToken cancellation)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Changed()
        {
            if (store.Ledger.Head is not null)
                seen.TrySetResult();
        }

        store.Changed += Changed;
        try
        {
            Changed();
            await seen.Task.WaitAsync(cancellation);
        }
        finally
        {
            store.Changed -= Changed;
        }
    }

    private void Prepare(CancellationToken cancellation) => Try(() =>
    {
        _before = Entries([], cancellation);
        OpenIndex(cancellation).Dispose();
    });

    private void Report(CompletedTransaction transaction, CancellationToken cancellation)
    {
        TransactionReport? report = null;
        Try(() => report = ReportOf(transaction, cancellation));
        if (report is not null)
            Log.Ended(log, transaction.Manager, report.Packages.Count, transaction.Changes.Count, report.Memberships.Values.Count(membership => membership == TransactionMembership.Residue));

        dirty.Add(transaction.Changes.Select(change => (change.Key, new Dirt(change.IsDeep, default, change.UnchangedUntil, OriginOf(change, report)))));
        Interlocked.Decrement(ref _pending);
    }

    private static ChangeOrigin OriginOf(TransactionChange change, TransactionReport? report)
    {
        if (report is null)
            return change.Origin;

        // The databases of packages are in no package's list.
        var membership = PackageDatabases.Hold(change.Key) ? TransactionMembership.Verified : report.Memberships[change.Key];
        return membership == TransactionMembership.None ? change.Origin : change.Origin with { Transaction = report, Membership = membership };
    }

    private TransactionReport ReportOf(CompletedTransaction transaction, CancellationToken cancellation)
    {
        var owned = OwnedBefore(transaction);
        var mistakes = new List<string>();
        var before = _before;
        _before = Entries(mistakes, cancellation);
        using var owners = OpenIndex(cancellation);
        var errno = RootedTree.Open(plan.Root, out var tree);
        if (errno != 0)
            throw new IOException(Errno.Text(errno));
        using (tree)
            return TransactionReport.Of(transaction, before, _before, owned.Contains, owners, tree!, clock, cancellation);
    }

    private HashSet<EntryKey> OwnedBefore(CompletedTransaction transaction)
    {
        using var index = PackageFileIndex.OpenAsItIs(indexFile);
        return [.. transaction.Changes.Select(change => change.Key).Where(key => index.Owners(key).Count > 0)];
    }

    private PackageFileIndex OpenIndex(CancellationToken cancellation)
    {
        using var turn = heavy.Take(() => { }, cancellation);
        var index = PackageFileIndex.Open(indexFile, PackageDatabases.Files(plan.Root, clock), cancellation);
        ProcessMemory.GiveBack();
        return index;
    }

    private Dictionary<EntryKey, Fingerprint> Entries(ICollection<string> mistakes, CancellationToken cancellation) =>
        PackageEntries.Read(plan.PackageScanners(clock, _rpm), mistakes, cancellation);

    /// <summary>Without a report, changes are told like any other.</summary>
    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException or PackageDatabaseException)
        {
            Log.NotReported(log, e.Message);
        }
    }

    // It reads databases and files, and waits for child processes.
    private static Task InThreadAsync(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "A {Manager} transaction ended: {Packages} packages, {Files} paths changed, {Residue} of them are not what their package says")]
        public static partial void Ended(ILogger log, string manager, int packages, int files, int residue);

        [LoggerMessage(2, LogLevel.Warning, "What packages say can't be read ({Reason}); changes by package managers are told one by one")]
        public static partial void NotReported(ILogger log, string reason);
    }
}
