using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Causes;

/// <summary>Who made the deviations of one head, and what each of them belongs to, from the change records told so far.</summary>
/// <remarks>Looks up what opens, changes or closes, never what is only there.</remarks>
/// <param name="isNew">Whether the head is judged for the first time, so that what closes does so because the entry changed.</param>
/// <param name="anew">Why it is judged anew; null: nobody changed what judges it.</param>
internal sealed class Explanation(StoreTransaction transaction, InstanceHead head, string line, bool isNew, JudgedAnew? anew = null)
{
    private readonly Dictionary<EntryKey, StoredChange?> _ofFiles = [];

    /// <summary>How long after one instance others that become the same do so because of the same: longer than configuration managers take to come round.</summary>
    private static readonly TimeSpan RolloutWindow = TimeSpan.FromHours(1);

    private static readonly Policy FirstBootProfile = ShippedPolicies.FindProfile("first-boot")!;

    private readonly CauseJoin _join = new(transaction, head.InstanceId, line);
    private readonly Dictionary<long, long?> _rollouts = [];
    private readonly Lazy<InstanceHead?> _lastJudged = new(() => transaction.Heads.LastJudged(head.InstanceId));
    private bool? _isFirst;
    private long? _unexplained, _firstBoot, _decision;

    public Deviation Of(Transition transition)
    {
        var deviation = transition.Deviation;
        if (transition.Kind is TransitionKind.Opened or TransitionKind.Changed && deviation.CauseId is null)
            return Explain(deviation, isOpening: transition.Kind == TransitionKind.Opened);

        if (transition.Kind == TransitionKind.Closed && isNew)
        {
            // Not always what was expected: another episode may take the place of one that was decided about.
            Settle(ValueIn(head, deviation), RecordsOf(deviation));
        }

        return deviation;
    }

    private Deviation Explain(Deviation deviation, bool isOpening)
    {
        var records = RecordsOf(deviation);
        Settle(deviation.Actual, records);
        var record = StoredChange.ThatMade(deviation.Actual, records);
        if (record is null && deviation.Kind == EntryKind.Setting)
            record = OfFile(SettingKey.FileOf(deviation.Key.Bytes));

        if (IsOfFirstBoot(deviation))
            return deviation with { CauseId = _firstBoot ??= transaction.Causes.Join(CauseIdentity.FirstBoot(head)).Id };
        if (record is not { IsOfPackages: true } && isOpening && anew is not null && IsAsItWasJudged(deviation))
            return deviation with { CauseId = _decision ??= transaction.Causes.Join(CauseIdentity.Decision(anew)).Id };
        if (record is not { IsOfPackages: true } && RolloutOf(deviation) is { } rollout)
            return deviation with { CauseId = rollout, ActorId = record?.ActorId, Membership = record?.Membership ?? Membership.None };
        return _join.TryExplain(deviation, record, out var explained)
            ? explained
            : explained with { CauseId = _unexplained ??= transaction.Causes.Join(CauseIdentity.Unexplained(head)).Id };
    }

    /// <summary>The instance did not change it since it was judged last, so nothing that happened on it made it a deviation; or it never was judged.</summary>
    private bool IsAsItWasJudged(Deviation deviation) => _lastJudged.Value is not { } last
        || ValueIn(last, deviation) is var value
        && value is null == deviation.Actual is null && value.AsSpan().SequenceEqual(deviation.Actual);

    private byte[]? ValueIn(InstanceHead of, Deviation deviation) => TreeReader.FindValue(transaction.Nodes, of.Roots[deviation.Kind], deviation.Key);

    private bool IsOfFirstBoot(Deviation deviation) =>
        (_isFirst ??= transaction.Heads.Backwards(head.InstanceId).Take(2).Count() == 1)
        && FirstBootProfile.RuleOf(deviation.Kind, deviation.Key.Bytes) is not null;

    /// <summary>The same entry became the same on another instance of the line: the rollout that began there; null: there is none.</summary>
    private long? RolloutOf(Deviation deviation)
    {
        if (transaction.Deviations.FirstElsewhere(deviation, line, deviation.OpenedAt - RolloutWindow) is not var (instanceId, causeId))
            return null;
        if (!_rollouts.TryGetValue(causeId, out var rollout))
            _rollouts[causeId] = rollout = RolloutAfter(transaction.Causes.Find(causeId)!, instanceId);
        return rollout;
    }

    private long? RolloutAfter(Cause first, string instanceId) => first.Kind switch
    {
        CauseKind.Rollout => first.Id,
        CauseKind.Actor or CauseKind.Unexplained => transaction.Causes.Join(CauseIdentity.Rollout(first, instanceId, head.ObservedAt)).Id,

        // What only looks like an upgrade, or a first boot, is neither.
        _ => null,
    };

    /// <summary>Drops the records that the head has overtaken.</summary>
    /// <param name="actual">What the entry is in the head.</param>
    private void Settle(byte[]? actual, IReadOnlyList<StoredChange> records)
    {
        var overtaken = StoredChange.Overtaken(actual, head.ReceivedAt, records);
        if (overtaken.Count > 0)
            transaction.Changes.Delete(overtaken);
    }

    /// <summary>Whoever made a file what it is in the head made its settings too.</summary>
    private StoredChange? OfFile(EntryKey file)
    {
        if (!_ofFiles.TryGetValue(file, out var record))
        {
            var actual = TreeReader.FindValue(transaction.Nodes, head.Roots.File, file);
            record = StoredChange.ThatMade(actual, transaction.Changes.Of(head.InstanceId, EntryKind.File, file));
            _ofFiles.Add(file, record);
        }

        return record;
    }

    private IReadOnlyList<StoredChange> RecordsOf(Deviation deviation) =>
        transaction.Changes.Of(head.InstanceId, deviation.Kind, deviation.Key);
}
