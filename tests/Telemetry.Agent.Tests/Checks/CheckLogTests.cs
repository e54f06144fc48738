using Telemetry.Agent.Checks;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Tests.Spool;
using Telemetry.Agent.Uplink;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Agent.Tests.Checks;

public sealed class CheckLogTests : IDisposable
{
    private static readonly string Long = new('x', 1_000);

    private readonly Spools _spools = new();

    public void Dispose() => _spools.Dispose();

    [Fact]
    public void State_ThatIsAsBefore_IsNoChange()
    {
        var log = Log();

        Assert.True(Add(log, "a", CheckState.Ok));
        Assert.False(Add(log, "a", CheckState.Ok));
        Assert.True(Add(log, "a", CheckState.Critical));
    }

    [Fact]
    public void Changes_ThatGaveWay_AreMadeUpForByTheStateOfAllChecks()
    {
        var log = Log(bytes: 64 << 10);
        log.Run([Some("a"), Some("b")]);
        Add(log, "a", CheckState.Critical);
        for (var i = 0; i < 200; i++)
            Add(log, "b", i % 2 == 0 ? CheckState.Warning : CheckState.Ok, Long);

        var told = Told(log);

        Assert.InRange(told.Count, 1, 100);
        Assert.Equal(["a Critical", "b Ok"], Known(told));
        Assert.Equal(["a", "b"], told[^1].Roster.Checks.Select(check => check.Name));
    }

    [Fact]
    public void Changes_LostWhileTheStreamLasts_AreMadeUpForOnce()
    {
        var log = Log(bytes: 64 << 10);
        log.Run([Some("a"), Some("b")]);
        var told = default(SpoolCursor);
        while (log.Next(ref told) is not null)
        {
        }

        for (var i = 0; i < 200; i++)
            Add(log, "b", i % 2 == 0 ? CheckState.Warning : CheckState.Ok, Long);
        var rest = Told(log, ref told);

        Assert.Single(rest, batch => batch.Roster is not null);
        Assert.Empty(Told(log, ref told));
    }

    [Fact]
    public void Collector_ThatHasLessThanWasAcknowledged_IsToldTheStateOfAllChecks()
    {
        var log = Log();
        var checks = Enumerable.Range(0, 120).Select(i => $"c{i:D3}").ToList();
        log.Run([.. checks.Select(Some)]);
        foreach (var check in checks)
            Add(log, check, CheckState.Ok);
        Add(log, "c007", CheckState.Critical);
        var cursor = default(SpoolCursor);
        var last = default(HeadPosition);
        while (log.Next(ref cursor) is { } record)
            last = record.Position;
        log.Acked(last);
        Assert.Empty(Told(log));

        log.Begin(default);
        var told = Told(log);

        Assert.Equal([50, 50, 20], told.Select(batch => batch.Changes.Count));
        Assert.Equal([true, false, false], told.Select(batch => batch.Roster is not null));
        Assert.Equal(checks.Select(check => $"{check} {(check == "c007" ? "Critical" : "Ok")}"), Known(told));
    }

    [Fact]
    public void Collector_ThatHasAllThatWasAcknowledged_IsToldNothingTwice()
    {
        var log = Log();
        log.Run([Some("a")]);
        var cursor = default(SpoolCursor);
        var first = log.Next(ref cursor)!.Position;
        log.Acked(first);
        Add(log, "a", CheckState.Ok);

        log.Begin(first);

        Assert.Equal(["a Ok"], Known(Assert.Single(Told(log)) is var batch && batch.Roster is null ? [batch] : []));
    }

    [Fact]
    public void Begin_AfterARestartThatLacksWhatWasAcknowledged_KeepsWhatCameSince()
    {
        var log = Log();
        log.Run([Some("a")]);
        var file = Assert.Single(Directory.GetFiles(_spools.State + "/spool/checks", "*.spool"));
        var kept = File.ReadAllBytes(file);
        Add(log, "a", CheckState.Ok);
        Add(log, "a", CheckState.Critical);
        var acknowledged = default(HeadPosition);
        var cursor = default(SpoolCursor);
        while (log.Next(ref cursor) is { } record)
            acknowledged = record.Position;
        File.WriteAllBytes(file, kept);

        var restarted = Log();
        restarted.Run([Some("a")]);
        Add(restarted, "a", CheckState.Ok);
        restarted.Begin(acknowledged);

        Assert.Equal(["a Ok"], Known(Told(restarted)));
    }

    private static DeclaredCheck Some(string name) => CheckResultTests.Some(name, null, "/bin/true");

    private static List<V1.CheckBatch> Told(CheckLog log)
    {
        var cursor = default(SpoolCursor);
        return Told(log, ref cursor);
    }

    private static List<V1.CheckBatch> Told(CheckLog log, ref SpoolCursor cursor)
    {
        var told = new List<V1.CheckBatch>();
        while (log.Next(ref cursor) is { } record)
            told.Add(record.ToCheckBatch());
        return told;
    }

    /// <summary>What a collector makes of it that knew nothing.</summary>
    private static List<string> Known(IEnumerable<V1.CheckBatch> told)
    {
        var states = new SortedDictionary<string, V1.CheckState>(StringComparer.Ordinal);
        foreach (var change in told.SelectMany(batch => batch.Changes))
            states[change.Check.Name] = change.State;
        return [.. states.Select(state => $"{state.Key} {state.Value}")];
    }

    private CheckLog Log(long bytes = 64 << 20) => new(_spools.Open(bytes).Checks, CheckMapping.Encode, _spools.Clock);

    private bool Add(CheckLog log, string name, CheckState state, string text = "") =>
        log.Add(new CheckChange(Some(name), state, _spools.Clock.GetUtcNow(), text));
}
