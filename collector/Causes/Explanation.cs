using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Causes;

/// <summary>Who made the deviations of one head, and what each of them belongs to, from the change records told so far.</summary>
/// <remarks>Looks up what opens, changes or closes, never what is only there.</remarks>
/// <param name="isNew">Whether the head is judged for the first time, so that what closes does so because the entry changed.</param>
internal sealed class Explanation(StoreTransaction transaction, InstanceHead head, string line, bool isNew)
{
    private readonly Dictionary<EntryKey, StoredChange?> _ofFiles = [];
    private readonly CauseJoin _join = new(transaction, head.InstanceId, line);
    private long? _unexplained;

    public Deviation Of(Transition transition)
    {
        var deviation = transition.Deviation;
        if (transition.Kind != TransitionKind.Closed)
            return deviation.CauseId is null ? Explain(deviation) : deviation;

        if (isNew)
            Settle(deviation.Expected, RecordsOf(deviation));
        return deviation;
    }

    private Deviation Explain(Deviation deviation)
    {
        var records = RecordsOf(deviation);
        Settle(deviation.Actual, records);
        var record = StoredChange.ThatMade(deviation.Actual, records);
        if (record is null && deviation.Kind == EntryKind.Setting)
            record = OfFile(SettingKey.FileOf(deviation.Key.Bytes));

        return _join.TryExplain(deviation, record, out var explained)
            ? explained
            : explained with { CauseId = _unexplained ??= transaction.Causes.Join(CauseIdentity.Unexplained(head)).Id };
    }

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
