using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Policies;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Tests.Policies;

public sealed class PolicyRegistryTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Default_FromTheFirstStart_IsTheShippedOneAndAStoredOneOverridesIt()
    {
        var first = Find("default")!;

        _collector.PolicyRegistry.Set("name = \"default\"", "p.toml", "admin");

        Assert.Equal((0, ShippedPolicies.DefaultText), (first.Version, first.Text));
        Assert.Equal((1, "name = \"default\"", "admin"), (Find("default")!.Version, Find("default")!.Text, Find("default")!.SetBy));
        Assert.Empty(Find("default")!.Policy.Exclude);
    }

    [Fact]
    public void Set_TheTextInForce_MakesNoVersion()
    {
        var first = _collector.PolicyRegistry.Set("name = \"web\"", "p.toml", "admin");

        var second = _collector.PolicyRegistry.Set("name = \"web\"", "other.toml", "admin");

        Assert.Equal((true, 1), (first.IsNew, first.Policy.Version));
        Assert.Equal((false, 1), (second.IsNew, second.Policy.Version));
        Assert.False(_collector.PolicyRegistry.Set(ShippedPolicies.DefaultText, "p.toml", "admin").IsNew);
    }

    [Fact]
    public void Set_AnEarlierTextAgain_IsTheNextVersion()
    {
        _collector.PolicyRegistry.Set("name = \"web\"", "p.toml", "admin");
        _collector.PolicyRegistry.Set("name = \"web\" # b", "p.toml", "admin");

        Assert.Equal(3, _collector.PolicyRegistry.Set("name = \"web\"", "p.toml", "admin").Policy.Version);
    }

    [Theory]
    [InlineData("nam = \"web\"\ninclude = [\"etc\"]\nsysctls = [\"net/ipv4\", \"\"]", 5)]
    [InlineData("name = \"web\"\n# \u001b[31m\n", 1)]
    [InlineData("name = ", 1)]
    public void Set_Mistakes_AreAllToldWithTheirPlacesAndChangeNothing(string text, int count)
    {
        var refusal = Assert.Throws<ConfigurationException>(() => _collector.PolicyRegistry.Set(text, "p.toml", "admin"));

        Assert.Equal(count, refusal.Mistakes.Count);
        Assert.All(refusal.Mistakes, mistake => Assert.Contains("p.toml", mistake, StringComparison.Ordinal));
        Assert.Null(Find("web"));
    }

    [Fact]
    public void Set_MoreThanAnAgentTakes_IsRefused()
    {
        var include = string.Join(", ", Enumerable.Range(0, 10_001).Select(i => $"\"/{i}\""));

        Assert.Throws<ConfigurationException>(() => _collector.PolicyRegistry.Set($"name = \"web\"\ninclude = [{include}]", "p.toml", "admin"));
    }

    [Fact]
    public void Set_OfTheJudgingPolicy_ClosesAndOpensWithoutTheAgent()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        _collector.Baselines.SetPolicy("shop", Set(Rule("presence")));
        var withPresence = _collector.Deviations(openOnly: true);

        Set(Rule("full"));
        var withFull = _collector.Deviations(openOnly: true);
        Set(Rule("ignore"));

        Assert.Empty(withPresence);
        Assert.Single(withFull);
        Assert.Equal([DeviationState.Resolved, DeviationState.Resolved], _collector.Deviations().Select(deviation => deviation.State));
    }

    [Fact]
    public void Set_ThatNarrowsTheScope_ClosesWhatIsNoLongerCovered()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        Set("name = \"default\"\nexclude = [\"/srv\"]");

        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void Set_ThatIgnoresWhatAGapHides_ClosesIt()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        instance.Report(Some.Coverage with { Gaps = [new Gap(EntryKind.File, EntryKey.OfPath("/srv/1"), "unreadable")] });

        Set("name = \"default\"\n" + RuleOnly("ignore"));

        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void Set_AnotherSeverity_IsATransitionOfTheSameEpisode()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        Set("name = \"default\"\n" + RuleOnly("full", "critical"));
        Set("name = \"default\"\n" + RuleOnly("full", "critical") + "# the same");

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Equal((Severity.Critical, 2), (deviation.Severity, deviation.Transitions));
        Assert.Equal([TransitionKind.Opened, TransitionKind.Changed], _collector.Events().Select(stored => stored.Kind));
    }

    [Fact]
    public void Set_OfAPolicyNoLineNames_ConcernsNobody()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        var set = _collector.PolicyRegistry.Set(Rule("ignore"), "p.toml", "admin");

        Assert.Empty(set.Judged);
        Assert.Single(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void SetPolicy_OfALine_NeedsBothToExist()
    {
        _ = new CertifiedInstance(_collector);

        var noPolicy = Assert.Throws<BaselineException>(() => _collector.Baselines.SetPolicy("shop", "web"));
        var noLine = Assert.Throws<BaselineException>(() => _collector.Baselines.SetPolicy("none", "default"));

        Assert.Contains("policies list", noPolicy.Message, StringComparison.Ordinal);
        Assert.Contains("baselines list", noLine.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_ThatIsRefused_SetsNoPolicyEither()
    {
        _ = new CertifiedInstance(_collector);
        _collector.PolicyRegistry.Set("name = \"web\"", "p.toml", "admin");

        Assert.Throws<UnknownInstanceException>(() => _collector.Baselines.Bind(Some.Binding(Selector.Instance, "i-none"), "web"));

        Assert.Equal("default", _collector.Store.Read(transaction => transaction.Policies.OfLine("shop")));
    }

    [Fact]
    public void Test_SaysWhatSetThenDoesAndWritesNothing()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        var text = "name = \"default\"\n" + RuleOnly("ignore");

        var trial = _collector.PolicyRegistry.Test(text, "p.toml", "i-1");
        var after = _collector.Deviations(openOnly: true);

        var effect = Assert.Single(trial.Effects);
        Assert.Equal((TransitionKind.Closed, after[0].Id), (effect.Transition.Kind, effect.Transition.Deviation.Id));
        Assert.Equal(("shop:1", "default"), (trial.Baseline!.ToString(), trial.InForce));
        Assert.Single(after);
        Assert.Single(_collector.Events());
        Assert.Equal(0, Find("default")!.Version);
    }

    [Fact]
    public void Test_ThePolicyInForce_ChangesNothing()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        var trial = _collector.PolicyRegistry.Test(ShippedPolicies.DefaultText, "p.toml", "i-1");

        Assert.Empty(trial.Effects);
        Assert.Empty(trial.Widened);
    }

    [Fact]
    public void Test_ForAnUnknownInstance_IsRefused() =>
        Assert.Throws<UnknownInstanceException>(() => _collector.PolicyRegistry.Test("name = \"web\"", "p.toml", "i-none"));

    private string Set(string text) => _collector.PolicyRegistry.Set(text, "p.toml", "admin").Policy.Name;

    private PolicyVersion? Find(string name) => _collector.Store.Read(transaction => _collector.Policies.Find(transaction, name));

    private static string Rule(string treat) => "name = \"web\"\n" + RuleOnly(treat);

    private static string RuleOnly(string treat, string? severity = null) =>
        $"[[rules]]\nmatch = [\"/srv/1\"]\ntreat = \"{treat}\"\n" + (severity is null ? "" : $"severity = \"{severity}\"\n");
}
