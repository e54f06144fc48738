using System.Collections.Immutable;
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
        var other = new CertifiedInstance(collector, "i-2");
        for (var i = 0; i < 5; i++)
        {
            Change(instance, random);
            Change(other, random);
        }

        instance.Tamper("certainly");
        collector.Layers.Create(new VersionName("app", "1"), "acme", "shop:1", "i-1", "", "default");
        collector.Baselines.Compose(new VersionName("kit", "1"), new VersionName("shop", "1"), [new VersionName("app", "1")], ImmutableDictionary<string, string>.Empty);
        var trees = Trees(collector);

        collector.PolicyRegistry.Set(Lenient, "test", "test");
        collector.Baselines.SetPolicy("shop", "lenient");
        collector.Baselines.SetPolicy("shop", "default");
        var one = collector.Deviations(openOnly: true)[0];
        collector.Decisions.Waive(new DecisionScope([one.Id]), Some.Time.AddDays(1), "test", "test");
        collector.Decisions.Acknowledge(new DecisionScope([], InstanceId: one.InstanceId), "test", "test");
        collector.Decisions.Approve(new DecisionScope([one.Id]), new VersionName("hotfix", "1"), null, "test", "test");

        // An approval makes versions, beside those there are.
        var (approved, kept) = (new List<string>(), new List<string>());
        foreach (var tree in Trees(collector))
            (trees.Contains(tree) ? kept : approved).Add(tree);
        Assert.Equal(trees, kept);
        Assert.Equal(["baseline shop", "layer hotfix"], approved.Select(tree => tree.Split(':')[0]));
    }

    private static void Step(Collector collector, Random random, CertifiedInstance instance, CertifiedInstance other, int step)
    {
        var open = collector.Deviations(openOnly: true);
        switch (random.Next(9))
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
                collector.Pipeline.Reevaluate(collector.Store.Read(transaction => transaction.Deviations.InstancesDecidedUntil(collector.Time.GetUtcNow())));
                break;
            case 5:
                Change(other, random);
                break;
            case 6 when open.Count > 0:
                collector.Decisions.Acknowledge(new DecisionScope([open[random.Next(open.Count)].Id]), "test", "test");
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

    private static List<OpenEntry> Open(Collector collector, string id) => collector.Store.Read(transaction =>
        transaction.Deviations.OpenOf(id)
            .Select(deviation => new OpenEntry(
                deviation.Key, transaction.Baselines.NameOf(deviation.BaselineId), Text(deviation.Expected), Text(deviation.Actual), deviation.Severity, Standing(deviation.State)))
            .OrderBy(entry => entry.Key)
            .ToList());

    /// <summary>By the accepted versions and what was approved in newer ones alone: the fewest there can be, and those of the version that judges.</summary>
    private static List<OpenEntry> FromScratch(Collector collector, string id) => collector.Store.Read(transaction =>
    {
        var yardstick = collector.Policies.OfLine(transaction, "shop").Yardstick;
        var head = transaction.Heads.Newest(id)!;
        var accepted = transaction.Baselines.Accepted("shop");
        var found = accepted.ToDictionary(
            version => version.Id,
            version => PolicyComparison.Between(transaction.Nodes, version.Roots, head.Roots, new CoverageOverlap(version.Coverage, head.Coverage), yardstick).ToList());
        var judging = transaction.Baselines.Get(transaction.Instances.Find(id)!.JudgedId!.Value);
        var judged = found[judging.Id];
        Assert.Equal(found.Values.Min(findings => findings.Count), judged.Count);
        return judged
            .Where(finding => !accepted.Any(newer => newer.Id > judging.Id && WasApprovedFor(newer, finding)))
            .Select(finding => new OpenEntry(
                finding.Key, judging.Name.ToString(), Text(finding.Change.Before), Text(finding.Change.After), SeverityRules.Of(finding), Decided(finding)))
            .OrderBy(entry => entry.Key)
            .ToList();

        bool WasApprovedFor(Baseline newer, Finding finding) =>
            TreeReader.FindValue(transaction.Nodes, newer.Roots[finding.Kind], finding.Key).AsSpan().SequenceEqual(finding.Change.After)
            && collector.Deviations().Any(deviation =>
                deviation.State == DeviationState.Approved && (deviation.Kind, deviation.Key) == (finding.Kind, finding.Key) && deviation.Actual.AsSpan().SequenceEqual(finding.Change.After));

        DeviationState Decided(Finding finding) =>
            transaction.Decisions.Standing(id, finding.Kind, finding.Key, finding.Change.After, collector.Time.GetUtcNow())?.Gives ?? DeviationState.Open;
    });

    /// <summary>An approval is in force in a version alone: that an episode had one says nothing of an entry which still deviates.</summary>
    private static DeviationState Standing(DeviationState state) => state == DeviationState.Approved ? DeviationState.Open : state;

    private static string? Text(byte[]? fingerprint) => fingerprint is null ? null : Convert.ToHexString(fingerprint);

    /// <summary>The roots of everything that has some, each with what it is of.</summary>
    private static List<string> Trees(Collector collector) => collector.Store.Read(transaction => (List<string>)
    [
        .. transaction.Instances.All().SelectMany(instance => transaction.Heads.Backwards(instance.Id)).Select(head => $"head {head.InstanceId} {head.Position}: {head.Roots}"),
        .. transaction.Baselines.All().OrderBy(baseline => baseline.Id).Select(baseline => $"baseline {baseline.Name} {baseline.Roots}"),
        .. transaction.Layers.All().OrderBy(layer => layer.Id).Select(layer => $"layer {layer.Name} {layer.Before} {layer.After}"),
    ]);

    private sealed record OpenEntry(EntryKey Key, string Baseline, string? Expected, string? Actual, Severity Severity, DeviationState State);
}
