using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Signing;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Deviations;

public sealed class DueTimerTests : IDisposable
{
    private static readonly Fingerprint Unreadable = Some.File("content 1") with { State = EntryState.Unreadable, Content = null };

    private readonly Collector _collector = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public async Task Entry_UnreadForAnHour_IsADeviationWithoutANewHead()
    {
        var instance = new CertifiedInstance(_collector);
        Report(instance, Unreadable);
        using var timer = await Start();

        _collector.Time.Advance(TimeSpan.FromMinutes(59));
        var early = _collector.Deviations();
        _collector.Time.Advance(TimeSpan.FromMinutes(2));
        await Opened();

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Empty(early);
        Assert.Equal(Severity.Medium, deviation.Severity);
        Assert.Equal(Unreadable, Fingerprint.Decode(deviation.Actual));
        Assert.Equal("", _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Comparison);
    }

    [Fact]
    public async Task Entry_OverARestart_IsUnreadSinceTheFirstTime()
    {
        var instance = new CertifiedInstance(_collector);
        Report(instance, Unreadable);
        _collector.Time.Advance(TimeSpan.FromMinutes(40));
        Report(instance, Unreadable with { State = EntryState.Unstable });

        _collector.Restart();
        using var timer = await Start();
        _collector.Time.Advance(TimeSpan.FromMinutes(21));
        await Opened();

        Assert.Equal(EntryState.Unstable, Fingerprint.Decode(_collector.Deviations()[0].Actual).State);
    }

    [Fact]
    public async Task Entry_OverdueBeforeTheStart_IsTold()
    {
        Report(new CertifiedInstance(_collector), Unreadable);
        _collector.Time.Advance(TimeSpan.FromHours(5));

        _collector.Restart();
        using var timer = await Start();

        await Opened();
    }

    [Fact]
    public void Deviation_OfAnUnreadEntry_ClosesWhenItIsReadAndEqualAgain()
    {
        var instance = new CertifiedInstance(_collector);
        Report(instance, Unreadable);
        _collector.Time.Advance(TimeSpan.FromHours(1));
        _collector.Pipeline.Reevaluate(["i-1"]);
        var open = _collector.Deviations(openOnly: true);

        instance.Heal();

        Assert.Single(open);
        Assert.Empty(_collector.Deviations(openOnly: true));
        Assert.Empty(_collector.Store.Read(transaction => transaction.Unread.Of("i-1")));
    }

    [Fact]
    public void Entry_ReadInBetween_StartsAnew()
    {
        var instance = new CertifiedInstance(_collector);
        Report(instance, Unreadable);
        _collector.Time.Advance(TimeSpan.FromMinutes(50));
        instance.Heal();
        Report(instance, Unreadable);

        _collector.Time.Advance(TimeSpan.FromMinutes(50));
        _collector.Pipeline.Reevaluate(["i-1"]);

        Assert.Empty(_collector.Deviations());
    }

    [Fact]
    public void Severity_OfAnOverdueEntry_IsWhatARuleSays()
    {
        _collector.PolicyRegistry.Set("name = \"default\"\n[[rules]]\nmatch = [\"/srv\"]\nseverity = \"high\"", "p.toml", "admin");
        Report(new CertifiedInstance(_collector), Unreadable);

        _collector.Time.Advance(TimeSpan.FromHours(1));
        _collector.Pipeline.Reevaluate(["i-1"]);

        Assert.Equal(Severity.High, Assert.Single(_collector.Deviations()).Severity);
    }

    [Fact]
    public async Task Waiver_WhoseTimeIsUp_EndsByItselfAndIsTold()
    {
        new CertifiedInstance(_collector).Tamper();
        Waive();
        using var timer = await Start();

        _collector.Time.Advance(TimeSpan.FromMinutes(9));
        var early = Assert.Single(_collector.Deviations());
        _collector.Time.Advance(TimeSpan.FromMinutes(2));
        await EndOfWaiver();

        Assert.Equal(DeviationState.Waived, early.State);
        Assert.Equal((early.Id, DeviationState.Open), (_collector.Deviations()[0].Id, _collector.Deviations()[0].State));
        Assert.Equal([TransitionKind.Opened, TransitionKind.Changed, TransitionKind.Changed], _collector.Events().Select(stored => stored.Kind));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Waiver_EndsAtItsTime_AlsoIfItWasGivenSinceTheLastLook(bool isGivenLater)
    {
        new CertifiedInstance(_collector).Tamper();
        if (!isGivenLater)
            Waive(TimeSpan.FromSeconds(95));
        using var timer = await Start();
        _collector.Time.Advance(TimeSpan.FromSeconds(70));
        if (isGivenLater)
            Waive(TimeSpan.FromSeconds(95));

        _collector.Time.Advance(TimeSpan.FromSeconds(24));
        var early = Assert.Single(_collector.Deviations());
        _collector.Time.Advance(TimeSpan.FromSeconds(1));
        await EndOfWaiver();

        Assert.Equal(DeviationState.Waived, early.State);
        Assert.Equal(Some.Time.AddSeconds(95), _collector.Events()[^1].At);
    }

    [Theory]
    [InlineData("gap")]
    [InlineData("unreadable")]
    public async Task Waiver_OfWhatCantBeSeenAnyMore_EndsOnce(string why)
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        Waive();
        if (why == "gap")
            instance.Report(Some.Coverage with { Gaps = [new Gap(EntryKind.File, EntryKey.OfPath("/srv"), "did not answer")] });
        else
            Report(instance, Unreadable);
        using var timer = await Start();

        _collector.Time.Advance(TimeSpan.FromMinutes(11));
        await EndOfWaiver();

        Assert.True(Assert.Single(_collector.Deviations()).IsOpen);
        var told = _collector.Events().Count;
        Assert.Empty(_collector.Store.Read(transaction => transaction.Deviations.InstancesDecidedUntil(_collector.Time.GetUtcNow())));
        _collector.Pipeline.Reevaluate(["i-1"]);
        Assert.Equal(told, _collector.Events().Count);
    }

    [Fact]
    public void Waiver_OnAnInstanceThatIsNotJudged_EndsToo()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        Waive();
        var key = SigningKey.LoadOrCreate(_collector.DataDirectory).Public.Id;
        _collector.Store.Write(transaction => transaction.Signatures.RevokeKey(key, Some.Time));

        _collector.Time.Advance(TimeSpan.FromMinutes(11));
        _collector.Pipeline.Reevaluate(["i-1"]);

        Assert.Equal(DeviationState.Open, Assert.Single(_collector.Deviations()).State);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(100)]   // longer than a timer can wait
    public async Task Waiver_AfterTheClockWasSetBack_EndsAtItsTime(int days)
    {
        new CertifiedInstance(_collector).Tamper();
        Waive(TimeSpan.FromMinutes(1));
        using var timer = await Start();
        _collector.Time.Advance(TimeSpan.FromMinutes(1));
        await EndOfWaiver();

        _collector.Time.AdjustTime(Some.Time.AddDays(-days));
        Waive(TimeSpan.FromMinutes(10) - TimeSpan.FromDays(days));

        await AsTimeGoes(() => _collector.Deviations()[0].State == DeviationState.Open);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]   // while it does not run
    public async Task Entry_UnreadSinceBeforeTheClockWasSetBack_IsADeviationAnHourAfterThat(bool isRunning)
    {
        Report(new CertifiedInstance(_collector), Unreadable);
        using var timer = isRunning ? await Start() : null;
        _collector.Time.AdjustTime(Some.Time.AddDays(-30));

        using var later = isRunning ? null : await Start();

        await AsTimeGoes(() => _collector.Deviations(openOnly: true).Count == 1);
    }

    /// <summary>It comes true before the clock is where it was.</summary>
    private Task AsTimeGoes(Func<bool> condition) => Eventually.True(
        () =>
        {
            _collector.Time.Advance(TimeSpan.FromMinutes(1));
            return condition();
        },
        "what is due", Cancellation, () => $"It is {_collector.Time.GetUtcNow():O}.");

    private void Waive(TimeSpan? time = null) =>
        _collector.Decisions.Waive(new DecisionScope([], InstanceId: "i-1"), Some.Time + (time ?? TimeSpan.FromMinutes(10)), "anna", "for now");

    private Task EndOfWaiver() => Eventually.True(
        () => _collector.Deviations().All(deviation => deviation.State == DeviationState.Open), "the waiver to end", Cancellation);

    private static void Report(CertifiedInstance instance, Fingerprint fingerprint)
    {
        instance.Tree[CertifiedInstance.File] = fingerprint;
        instance.Report();
    }

    private async Task<DueTimer> Start()
    {
        var timer = new DueTimer(_collector.Store, _collector.Pipeline, _collector.Feed, _collector.Time, NullLogger<DueTimer>.Instance);
        await timer.StartAsync(Cancellation);
        return timer;
    }

    private Task Opened() => Eventually.True(() => _collector.Deviations(openOnly: true).Count == 1, "the deviation to open", Cancellation);
}
