using System.Collections.Immutable;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Text;

namespace Telemetry.Collector.Deviations;

/// <summary>
/// Which deviations a decision is about: those named, or those of a cause or of an instance on which nobody decided before
/// (<see cref="EarlierDecisions"/>).
/// </summary>
/// <param name="WithOutliers">Of a cause: also what stands out from it (<see cref="CauseAgreement"/>).</param>
internal sealed record DecisionScope(IReadOnlyList<long> Ids, long? CauseId = null, string? InstanceId = null, bool WithOutliers = false)
{
    public bool AreNamed => Ids.Count > 0;

    /// <summary>For people.</summary>
    public string Text => CauseId is { } causeId ? Cause.IdText(causeId) : InstanceId!;
}

/// <summary>Takes decisions about open deviations, records them, and has done what follows.</summary>
internal sealed class DecisionRegistry(StateStore store, PolicyBook policies, Seals seals, Pipeline pipeline, DeviationFeed feed, TimeProvider time)
{
    /// <summary>Somebody has seen them. They stay open.</summary>
    /// <exception cref="DecisionException">One of them is not open.</exception>
    public Decided Acknowledge(DecisionScope scope, string by, string reason) =>
        Decide(scope, new Decision(0, DeviationState.Acknowledged, by, reason, time.GetUtcNow()));

    /// <summary>They are tolerated until a time. They stay open, and are open as before from then on.</summary>
    /// <exception cref="DecisionException">One of them is not open, or the time is past.</exception>
    public Decided Waive(DecisionScope scope, DateTimeOffset until, string by, string reason)
    {
        var now = time.GetUtcNow();
        if (until <= now)
            throw new DecisionException("A waiver has to end in the future.");
        return Decide(scope, new Decision(0, DeviationState.Waived, by, reason, now, until));
    }

    /// <summary>What they are becomes what is expected: in a version of a layer, and in the next version of the line that has it.</summary>
    /// <param name="into">The layer version to make. Its predecessor is that layer in the newest version of the line; else it is new.</param>
    /// <param name="owner">Of a layer that is new; null: whoever owns the base.</param>
    /// <param name="resolutions">Of conflicts that come of it: from the key, as people see it, to the name of the side that is right. Null: none.</param>
    /// <exception cref="DecisionException">They can't be approved together; nothing was changed.</exception>
    /// <exception cref="LayerException">That layer version exists with other content.</exception>
    /// <exception cref="SignatureException">The newest version of the line is not what somebody signed who may.</exception>
    public Approved Approve(
        DecisionScope scope, VersionName into, string? owner, string by, string reason, IReadOnlyDictionary<string, string>? resolutions = null)
    {
        var now = time.GetUtcNow();
        var (plan, leftOut) = store.Read(transaction =>
        {
            var (deviations, leftOut) = Approvable(transaction, scope, now);
            var line = LineOf(transaction, deviations);

            // What is approved is signed anew, with all that it stands on.
            var newest = transaction.Baselines.Newest(line)!;
            seals.Check(transaction, BaselineStack.Of(transaction, newest), newest);
            return (ApprovalPlan.Of(transaction, deviations, line, into, policies.OfLine(transaction, line).Policy, resolutions ?? ImmutableDictionary<string, string>.Empty), leftOut);
        });

        var approved = store.Write(transaction =>
        {
            var before = plan.Judged;
            if (transaction.Baselines.Newest(before.Name.Line)!.Id != before.Id)
                throw new DecisionException($"{before.Name.Line} got another version meanwhile; look again, and approve again.");
            var open = OpenOfInstances(transaction, plan.Deviations).ToDictionary(deviation => deviation.Id);
            if (plan.Deviations.Any(deviation => !open.TryGetValue(deviation.Id, out var found) || !found.Actual.AsSpan().SequenceEqual(deviation.Actual) || found.DecisionId != deviation.DecisionId))
                throw new DecisionException("Some of the deviations changed meanwhile; look again, and approve again.");

            transaction.Nodes.Add(plan.Nodes);
            var layer = LayerRegistry.Add(transaction, seals, new Layer(
                0, into, plan.Predecessor?.Owner ?? owner ?? plan.Stack.Base.Owner, plan.Trees.Before, plan.Trees.After,
                plan.Predecessor?.ClaimsText ?? "", $"approved by {by}: {reason}", now), plan.LayerNodes);
            var stack = plan.Stack with { Layers = [.. plan.Stack.Layers.Select(inStack => inStack.Id == 0 ? layer : inStack)] };
            var baseline = BaselineRegistry.Add(transaction, seals, stack.ToBaseline(NextName(transaction, before.Name), plan.Roots, now), stack.Layers);

            var decision = transaction.Decisions.Add(
                new Decision(0, DeviationState.Approved, by, reason, now, null, layer.Id, baseline.Id), plan.Deviations);
            transaction.Decisions.AddApproved(before.Name.Line, plan.Deviations);
            transaction.Deviations.Update(plan.Deviations.Select(deviation =>
                deviation with { State = DeviationState.Approved, DecisionId = decision.Id, DecidedUntil = null }));
            var what = $"approved {Counted.Of(plan.Deviations.Count, "deviation")} into {layer.Name}, which made {baseline.Name}: {reason}";
            transaction.Pending.Add(BaselineRegistry.Judged(transaction, before.Name.Line), new JudgedAnew(by, what, now));
            return new Approved(decision, layer, baseline, plan.Deviations.Count, plan.Settled, leftOut);
        });

        pipeline.JudgePending();
        return approved;
    }

    private Decided Decide(DecisionScope scope, Decision decision)
    {
        var decided = store.Write(transaction =>
        {
            var agreed = Find(transaction, scope, decision.Gives, decision.At);
            var made = transaction.Decisions.Add(decision, agreed.Members);
            var transitions = agreed.Members
                .Select(deviation => new Transition(TransitionKind.Changed, deviation with
                {
                    State = made.Gives,
                    DecisionId = made.Id,
                    DecidedUntil = made.Until,
                    Transitions = deviation.Transitions + 1,
                }))
                .ToList();
            Pipeline.Write(transaction, transitions, decision.At);
            return new Decided(made, agreed.Outliers);
        });
        feed.Wake();
        return decided;
    }

    /// <summary>What a decision is about, and what it leaves out: what of its cause stands out, and what was decided on before. Neither is decided upon unseen.</summary>
    /// <param name="gives">What is decided.</param>
    private static Agreed Find(StoreTransaction transaction, DecisionScope scope, DeviationState gives, DateTimeOffset now)
    {
        if (scope.AreNamed)
            return new Agreed(Named(transaction, scope), []);

        var found = scope.InstanceId is { } instanceId ? transaction.Deviations.OpenOf(instanceId) : transaction.Deviations.OpenOfCause(scope.CauseId!.Value);
        if (found.Count == 0)
            throw new DecisionException($"There is no open deviation of {scope.Text}.");

        var before = found.Select(deviation => deviation.DecisionId).OfType<long>().Distinct().ToDictionary(id => id, transaction.Decisions.Get);
        var (members, decided) = EarlierDecisions.Apart(found, gives, before, now);
        IReadOnlyList<Outlier> ofOneFile = [];
        if (gives == DeviationState.Approved)
            (members, ofOneFile) = EarlierDecisions.ApartByFile(members, OpenOfInstances(transaction, members), now);
        IReadOnlyList<Outlier> outliers = [];
        if (LeavesOut(scope))
            (members, outliers) = Agreed.Of(members, transaction.Causes.AgreementOf(transaction.Causes.Find(scope.CauseId!.Value)!));

        Outlier[] leftOut = [.. outliers, .. decided, .. ofOneFile];
        if (members.Count > 0)
            return new Agreed(members, leftOut);
        var first = leftOut[0];
        throw new DecisionException(
            $"All that is open of {scope.Text} is left out, first {KeyText.Format(first.Deviation.Kind, first.Deviation.Key.Bytes)} on {first.Deviation.InstanceId} ({Deviation.IdText(first.Deviation.Id)}): {first.Reason}. Look at each, and name it by its id{(outliers.Count > 0 ? "; or all that stands out from the cause with --with-outliers" : "")}.");
    }

    private static List<Deviation> Named(StoreTransaction transaction, DecisionScope scope) =>
    [
        .. scope.Ids.Distinct().Select(id => transaction.Deviations.Find(id) switch
        {
            null => throw new DecisionException($"There is no deviation {Deviation.IdText(id)}; 'telemetryctl deviations list' shows those there are."),
            { IsOpen: false } => throw new DecisionException($"Deviation {Deviation.IdText(id)} is closed: nothing is left to be decided."),
            var deviation => deviation,
        }),
    ];

    private static List<Deviation> OpenOfInstances(StoreTransaction transaction, IEnumerable<Deviation> deviations) =>
        [.. deviations.Select(deviation => deviation.InstanceId).Distinct().SelectMany(transaction.Deviations.OpenOf)];

    private static bool LeavesOut(DecisionScope scope) => scope is { CauseId: not null, WithOutliers: false };

    /// <summary>The same of an approval, which is also about the settings of files.</summary>
    private static (IReadOnlyList<Deviation> Deviations, IReadOnlyList<Outlier> LeftOut) Approvable(StoreTransaction transaction, DecisionScope scope, DateTimeOffset now)
    {
        var agreed = Find(transaction, scope, DeviationState.Approved, now);
        var withSettings = WithSettings(transaction, [.. agreed.Members], agreed.Outliers.Select(outlier => outlier.Deviation.Id));
        if (!LeavesOut(scope))
            return (withSettings, agreed.Outliers);
        var with = Agreed.OfSettings(agreed.Members, withSettings);
        return (with.Members, [.. agreed.Outliers, .. with.Outliers]);
    }

    /// <summary>Who approves a file approves what it holds.</summary>
    /// <param name="leftOut">Ids of those that are not approved for that.</param>
    private static List<Deviation> WithSettings(StoreTransaction transaction, List<Deviation> deviations, IEnumerable<long> leftOut)
    {
        var known = deviations.Select(deviation => deviation.Id).Concat(leftOut).ToHashSet();
        foreach (var files in deviations.Where(deviation => deviation.Kind == EntryKind.File).ToLookup(deviation => deviation.InstanceId, deviation => deviation.Key))
        {
            var keys = files.ToHashSet();
            deviations.AddRange(transaction.Deviations.OpenOf(files.Key)
                .Where(open => open.Kind == EntryKind.Setting && keys.Contains(SettingKey.FileOf(open.Key.Bytes)) && known.Add(open.Id)));
        }

        return deviations;
    }

    private static string LineOf(StoreTransaction transaction, IReadOnlyList<Deviation> deviations)
    {
        var lines = deviations.Select(deviation => deviation.BaselineId).Distinct().Select(transaction.Baselines.LineOf).Distinct().ToList();
        return lines is [var line]
            ? line
            : throw new DecisionException($"They were judged by several lines, {string.Join(" and ", lines)}; approve those of one at a time, with --instance or by their ids.");
    }

    /// <summary>The number at the end of the version, counted up; a version without one gets one.</summary>
    private static VersionName NextName(StoreTransaction transaction, VersionName name)
    {
        var digits = name.Version.Length - name.Version.AsSpan().TrimEnd("0123456789").Length;
        var stem = name.Version[..^digits];
        var number = digits is > 0 and < 10 ? int.Parse(name.Version[^digits..], System.Globalization.CultureInfo.InvariantCulture) : 0;
        if (number == 0)
            stem = name.Version + ".";
        VersionName next;
        do
        {
            next = name with { Version = $"{stem}{++number}" };
        }
        while (transaction.Baselines.Find(next) is not null);
        return next;
    }
}

/// <summary>What was decided.</summary>
/// <param name="LeftOut">What was not decided upon: it stands out from its cause, or was decided on before.</param>
internal sealed record Decided(Decision Decision, IReadOnlyList<Outlier> LeftOut);

/// <summary>What came of an approval.</summary>
/// <param name="Deviations">How many it was about.</param>
/// <param name="Settled">What resolutions did: from the key, as people see it, to words for people.</param>
/// <param name="LeftOut">What was not approved: it stands out from its cause, or was decided on before.</param>
internal sealed record Approved(
    Decision Decision, Layer Layer, Baseline Baseline, int Deviations, IReadOnlyDictionary<string, string> Settled, IReadOnlyList<Outlier> LeftOut);
