using FsCheck.Xunit;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Deviations;

/// <summary>However an instance got where it is: what is open is what a comparison from scratch finds.</summary>
public sealed class ReevaluationPropertyTests
{
    private const string Lenient =
        """
        name = "lenient"
        [[rules]]
        match = ["/srv/1", "/srv/2"]
        treat = "presence"
        """;

    [Property(MaxTest = 25, QuietOnSuccess = true)]
    public void OpenDeviations_AreWhatAComparisonFromScratchFinds(int seed)
    {
        var random = new Random(seed);
        using var collector = new Collector();
        var instance = new CertifiedInstance(collector);
        collector.PolicyRegistry.Set(Lenient, "test", "test");
        var other = new CertifiedInstance(collector, "i-2");
        for (var step = 0; step < 12; step++)
            Step(collector, random, instance, other, step);

        foreach (var id in (string[])["i-1", "i-2"])
        {
            var open = Open(collector, id);
            Assert.Equal(FromScratch(collector, id), open);

            collector.Pipeline.Reevaluate([id]);
            Assert.Equal(open, Open(collector, id));
        }
    }

    [Property(MaxTest = 10, QuietOnSuccess = true)]
    public void Decisions_AndPolicies_ChangeNoTree(int seed)
    {
        var random = new Random(seed);
        using var collector = new Collector();
        var instance = new CertifiedInstance(collector);
        for (var i = 0; i < 5; i++)
            Change(instance, random);
        var roots = Roots(collector);

        collector.PolicyRegistry.Set(Lenient, "test", "test");
        collector.Baselines.SetPolicy("shop", "lenient");
        collector.Baselines.SetPolicy("shop", "default");
        if (collector.Deviations(openOnly: true) is [var one, ..])
        {
            collector.Decisions.Waive(new DecisionScope([one.Id]), Some.Time.AddDays(1), "test", "test");
            collector.Decisions.Acknowledge(new DecisionScope([], InstanceId: "i-1"), "test", "test");
            collector.Decisions.Approve(new DecisionScope([one.Id]), new VersionName("hotfix", "1"), null, "test", "test");
        }

        Assert.Equal(roots, Roots(collector));
    }

    private static void Step(Collector collector, Random random, CertifiedInstance instance, CertifiedInstance other, int step)
    {
        var open = collector.Deviations(openOnly: true);
        switch (random.Next(8))
        {
            case 0:
                collector.Baselines.Capture(new VersionName("shop", $"x{step}"), other.Id);
                break;
            case 1 when open.Count > 0:
                collector.Decisions.Waive(new DecisionScope([open[random.Next(open.Count)].Id]), collector.Time.GetUtcNow().AddMinutes(3), "test", "test");
                break;
            case 2 when open.Count > 0:
                collector.Decisions.Approve(new DecisionScope([open[random.Next(open.Count)].Id]), new VersionName("fix", $"{step}"), null, "test", "test");
                break;
            case 3:
                collector.Baselines.SetPolicy("shop", random.Next(2) == 0 ? "lenient" : "default");
                break;
            case 4:
                collector.Time.Advance(TimeSpan.FromMinutes(2));
                break;
            case 5:
                Change(other, random);
                break;
            default:
                Change(instance, random);
                break;
        }
    }

    private static void Change(CertifiedInstance instance, Random random)
    {
        var path = $"/srv/{random.Next(4)}/{random.Next(4)}";
        if (random.Next(4) == 0)
            instance.Tree.Remove(path);
        else
            instance.Tree[path] = Some.File($"{random.Next(3)}");
        instance.Report();
    }

    private static List<(string Key, string Baseline)> Open(Collector collector, string id) => collector.Store.Read(transaction =>
        transaction.Deviations.OpenOf(id).Select(deviation => (deviation.Key.ToString(), transaction.Baselines.NameOf(deviation.BaselineId))).Order().ToList());

    /// <summary>By the accepted versions and what was approved in newer ones alone: the fewest there can be, and those of the version that judges.</summary>
    private static List<(string Key, string Baseline)> FromScratch(Collector collector, string id) => collector.Store.Read(transaction =>
    {
        var yardstick = collector.Policies.OfLine(transaction, "shop").Yardstick;
        var head = transaction.Heads.Newest(id)!;
        var accepted = transaction.Baselines.Accepted("shop");
        var found = accepted.ToDictionary(
            version => version.Id,
            version => PolicyComparison.Between(transaction.Nodes, version.Roots, head.Roots, new CoverageOverlap(version.Coverage, head.Coverage), yardstick)
                .ToList());
        var judging = transaction.Baselines.Get(transaction.Instances.Find(id)!.JudgedId!.Value);
        var judged = found[judging.Id];
        Assert.Equal(found.Values.Min(findings => findings.Count), judged.Count);
        return judged
            .Where(finding => !accepted.Any(newer => newer.Id > judging.Id && WasApprovedFor(newer, finding)))
            .Select(finding => (finding.Key.ToString(), judging.Name.ToString()))
            .Order()
            .ToList();

        bool WasApprovedFor(Baseline newer, Finding finding) =>
            TreeReader.FindValue(transaction.Nodes, newer.Roots[finding.Kind], finding.Key).AsSpan().SequenceEqual(finding.Change.After)
            && collector.Deviations().Any(deviation =>
                deviation.State == DeviationState.Approved && (deviation.Kind, deviation.Key) == (finding.Kind, finding.Key) && deviation.Actual.AsSpan().SequenceEqual(finding.Change.After));
    });

    private static List<Roots> Roots(Collector collector) =>
        collector.Store.Read(transaction => transaction.Heads.Backwards("i-1").Select(head => head.Roots).ToList());
}
