using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Model;
using Lane = Telemetry.Protocol.V1.Lane;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class HistoryRetentionTests : IDisposable
{
    private static readonly DateTimeOffset Boundary = Some.Time;

    /// <summary>Whatever is run hourly against tables that grow with the fleet and with time; of what nothing names any more, what the writer runs.</summary>
    private static readonly Dictionary<string, Action<StoreTransaction>> Steps = new()
    {
        ["heads that are superseded"] = transaction => transaction.Heads.Superseded(Boundary, 1_000),
        ["heads"] = transaction => transaction.Heads.Delete([1, 2, 3]),
        ["deviations"] = transaction => transaction.Deviations.Delete([1, 2, 3]),
        ["events"] = transaction => transaction.Events.DeleteBefore(Boundary, long.MaxValue, 1_000),
        ["presence"] = transaction => transaction.Presence.DeleteBefore(Boundary, 1_000),
        ["point accounts"] = transaction => transaction.PointAccounts.DeleteBefore(Boundary, 1_000),
        ["rejections"] = transaction => transaction.Rejections.DeleteBefore(Boundary, 1_000),
        ["actors"] = transaction => transaction.Actors.DeleteUnused([1, 2, 3]),
        ["package transactions"] = transaction => transaction.PackageTransactions.DeleteUnused([1, 2, 3]),
        ["causes"] = transaction => transaction.Causes.DeleteUnused([1, 2, 3]),
        ["lane gaps"] = transaction => transaction.LaneGaps.DeleteBefore(Boundary, 1_000),
    };

    private readonly Collector _collector = new();
    private readonly HistoryRetention _retention;

    public HistoryRetentionTests() => _retention = new HistoryRetention(
        _collector.Store, [], Collector.StoreOptions, _collector.Time, NullLogger<HistoryRetention>.Instance);

    public static TheoryData<string> StepNames => [.. Steps.Keys];

    public void Dispose() => _collector.Dispose();

    [Theory]
    [MemberData(nameof(StepNames))]
    public void Step_OnTablesOfAnySize_ReadsNoneFromItsBeginning(string name)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_collector.DataDirectory, "state.db")}");
        connection.Open();

        var statements = Traced(connection, Steps[name]);

        Assert.NotEmpty(statements);
        Assert.All(statements, statement =>
            Assert.All(Plan(connection, statement), step => Assert.DoesNotContain("SCAN", step, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("sessions", 2)]
    [InlineData("sample_runs", 2)]
    [InlineData("boots", 1)]
    [InlineData("state_intervals", 2)]
    [InlineData("point_accounts", 1)]
    [InlineData("rejections", 1)]
    [InlineData("lane_gaps", 1)]
    public void Forget_WhatWasOverBeforeTheBoundary_LeavesWhatReachesBeyondIt(string table, int left)
    {
        // Over before it; begun before it, where that is something that lasts; begun after it.
        _collector.Store.Write(transaction =>
        {
            Add(transaction, "i-1", from: Boundary.AddHours(-3), to: Boundary.AddHours(-2));
            Add(transaction, "i-2", from: Boundary.AddHours(-1), to: Boundary.AddHours(1));
            Add(transaction, "i-3", from: Boundary.AddHours(1), to: Boundary.AddHours(2));
        });
        Assert.Equal(3, Count(table));
        _collector.Time.SetUtcNow(Boundary + Collector.StoreOptions.History);

        _retention.Forget(TestContext.Current.CancellationToken);

        Assert.Equal(left, Count(table));
    }

    [Fact]
    public void Forget_SessionsThatLast_AreKeptHoweverOldTheyAre()
    {
        _collector.Store.Write(transaction =>
        {
            transaction.Presence.Begin(new Arrival("i-1", Boundary.AddHours(-1), "boot", Boundary.AddHours(-1), IsSampled: true, TimeSpan.FromSeconds(10)));
            transaction.StateIntervals.Begin("i-1", DownSource.Cloud, "", Boundary.AddHours(-1));
        });
        _collector.Time.SetUtcNow(Boundary + Collector.StoreOptions.History);

        _retention.Forget(TestContext.Current.CancellationToken);

        Assert.Equal((1, 1), (Count("sessions"), Count("state_intervals")));
    }

    [Fact]
    public void Forget_MoreSupersededHeadsThanGoAtATime_LeavesOfEachInstanceWhatItWasThenAndIs()
    {
        const ulong Many = 1_500;
        _collector.Store.Write(transaction =>
        {
            for (var sequence = 1ul; sequence <= Many; sequence++)
            {
                transaction.Heads.Add(Head("i-1", sequence, Boundary.AddHours(-2)));
                transaction.Heads.Add(Head("i-2", sequence, Boundary.AddHours(-1)));
            }

            transaction.Heads.Add(Head("i-2", Many + 1, Boundary.AddHours(1)));
        });
        _collector.Time.SetUtcNow(Boundary + Collector.StoreOptions.History);

        _retention.Forget(TestContext.Current.CancellationToken);

        Assert.Equal([Many], Sequences("i-1"));
        Assert.Equal([Many + 1, Many], Sequences("i-2"));
    }

    [Fact]
    public void Forget_AHeadDatedYearsAheadByAWrongClock_HoldsUpNoneThatCameAfterIt()
    {
        _collector.Store.Write(transaction =>
        {
            transaction.Heads.Add(Head("i-1", 1, Boundary.AddDays(3_000)));
            transaction.Heads.Add(Head("i-1", 2, Boundary.AddHours(-2)));
            transaction.Heads.Add(Head("i-1", 3, Boundary.AddHours(-1)));
        });
        _collector.Time.SetUtcNow(Boundary + Collector.StoreOptions.History);

        _retention.Forget(TestContext.Current.CancellationToken);

        Assert.Equal([3ul, 1ul], Sequences("i-1"));
    }

    private static InstanceHead Head(string instanceId, ulong sequence, DateTimeOffset receivedAt) =>
        Some.Head(Roots.Empty, sequence, instanceId) with { ReceivedAt = receivedAt };

    private static void Add(StoreTransaction transaction, string instanceId, DateTimeOffset from, DateTimeOffset to)
    {
        var session = transaction.Presence.Begin(new Arrival(instanceId, from, "boot", from.AddMinutes(-1), IsSampled: true, TimeSpan.FromSeconds(10)));
        transaction.Presence.End(session, to);
        transaction.Presence.Sampled(instanceId, from, TimeSpan.FromHours(1));
        transaction.Presence.Sampled(instanceId, to, TimeSpan.FromHours(1));
        transaction.StateIntervals.Begin(instanceId, DownSource.Cloud, "", from);
        transaction.StateIntervals.End(instanceId, DownSource.Cloud, "", to);
        transaction.PointAccounts.Count(instanceId, from, epoch: 1, new PointCounts(1, 1, 0, 0, 0));
        transaction.Rejections.Count(instanceId, from, RejectionReason.NotReadable, points: 1);
        transaction.LaneGaps.Add(instanceId, new LaneGap(Lane.Health, 1, 1, 2), from);
    }

    /// <summary>What some work runs on the store, as it runs it.</summary>
    private static List<string> Traced(SqliteConnection connection, Action<StoreTransaction> work)
    {
        var statements = new List<string>();
        using var transaction = connection.BeginTransaction();
        using var tables = new StoreTransaction(connection, transaction);
        raw.sqlite3_trace(connection.Handle, (_, statement) => statements.Add(statement), null);
        work(tables);
        raw.sqlite3_trace(connection.Handle, (strdelegate_trace?)null, null);
        return statements;
    }

    private static List<string> Plan(SqliteConnection connection, string statement)
    {
        var plan = connection.Query<(long Id, long Parent, long Unused, string Detail)>("EXPLAIN QUERY PLAN " + statement).Select(row => row.Detail).ToList();
        Assert.NotEmpty(plan);
        return plan;
    }

    private long Count(string table) => _collector.Scalar($"SELECT COUNT(*) FROM {table}");

    private List<ulong> Sequences(string instanceId) =>
        _collector.Store.Read(transaction => transaction.Heads.Backwards(instanceId).Select(head => head.Position.Sequence).ToList());
}
