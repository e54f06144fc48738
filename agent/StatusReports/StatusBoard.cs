using Telemetry.Agent.Cli;
using Telemetry.Agent.Identity;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Uplink;
using Telemetry.Agent.Watch;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.StatusReports;

/// <summary>Asks the agent's parts how they are, when somebody wants to know. Nothing is kept here, and nobody waits for it.</summary>
internal sealed class StatusBoard(
    AgentOptions options,
    InstanceIdentity identity,
    StateStore store,
    ScanPlan plan,
    DirtyPaths dirty,
    ChangeLog changes,
    SpoolDirectory spool,
    CollectorLink link,
    WatchCounters watch,
    LossLog losses,
    TimeProvider clock)
{
    // A tree full of gaps has a thousand of them.
    private const int MaxGaps = 100;

    private readonly DateTime _startedAt = clock.GetUtcNow().UtcDateTime;

    public StatusReport Read()
    {
        var ledger = store.Ledger;
        var state = link.State;
        var lost = losses.Current;
        return new StatusReport
        {
            Version = VersionCommand.Version,
            Pid = Environment.ProcessId,
            StartedAt = _startedAt,
            Instance = identity.InstanceId,
            StateDirectory = options.StateDirectory,
            InMemory = store.IsInMemory,
            InMemoryReason = store.Failure,
            Connection = ConnectionStatus.Of(options.Collector, state),
            LastAck = Ack(ledger, state.LastAck),
            Head = ledger.Head is { } head ? Head(head, ledger.LookCompletedAt) : null,
            Coverage = Coverage(ledger.Head),
            Losses = new LossStatus(lost.Count, LossWindowStatus.Of(lost.Last)),
            Spool = [.. spool.Status().Select(SpoolStatus.Of)],
            Memory = OwnMemory.Read(),
            Watch = new WatchStatus(watch.Events, watch.Overflows, watch.Watches, dirty.Waiting, changes.Dropped),
        };
    }

    private static AckStatus? Ack(HeadLedger ledger, LinkAck? seen) => ledger.Acknowledged is not { Position: var position }
        ? null
        : new AckStatus(position.Epoch, position.Sequence, ledger.IsAcknowledged, seen?.Position == position ? seen.At.UtcDateTime : null);

    private HeadStatus Head(LocalHead head, DateTimeOffset? lookedAt)
    {
        var entries = store.CountEntries();
        return new HeadStatus(
            head.Position.Epoch,
            head.Position.Sequence,
            head.ObservedAt.UtcDateTime,
            lookedAt?.UtcDateTime,
            EntryKinds.All.ToDictionary(kind => kind.Name(), kind => head.Roots[kind].ToString()),
            entries is null ? null : EntryKinds.All.ToDictionary(kind => kind.Name(), kind => entries.GetValueOrDefault(kind)));
    }

    /// <summary>How the watch is now, though no look was completed since.</summary>
    private CoverageStatus Coverage(LocalHead? head) => new(
        [.. plan.Watched.All.Select(part => new WatchedStatus(
            KeyText.Format(EntryKind.File, part.Prefix.Bytes), part.Method.Name(), part.Reason.Length == 0 ? null : part.Reason))],
        [.. (head?.Coverage.Gaps ?? []).Take(MaxGaps).Select(gap => new GapStatus(KeyText.Format(gap.Kind, gap.Prefix.Bytes), gap.Reason))],
        head?.Coverage.Gaps.Length ?? 0,
        head is null ? [] : [.. plan.Local.Include.Where(path => IsMissing(head, path)).Select(path => KeyText.Format(EntryKind.File, path.Bytes))]);

    /// <summary>By what was seen, and not by another look: that might hang where a filesystem does.</summary>
    private bool IsMissing(LocalHead head, EntryKey path)
    {
        if (!head.Coverage.Covers(EntryKind.File, path.Bytes))
            return false;
        try
        {
            return TreeReader.FindValue(new Nodes(store), head.Roots.File, path) is null;
        }
        catch (NodeMissingException)
        {
            return false;  // another head has taken its place, or the disk fails
        }
    }

    private sealed class Nodes(StateStore store) : INodeSource
    {
        public ReadOnlyMemory<byte> Read(Digest digest) =>
            digest == EncodedNode.Empty.Digest ? EncodedNode.Empty.Bytes : store.ReadNode(digest) ?? throw new NodeMissingException(digest);
    }
}
