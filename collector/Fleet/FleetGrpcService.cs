using Grpc.Core;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Checks;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Fleet;

/// <summary>Instances and their states, for people and programs.</summary>
internal sealed class FleetGrpcService(StateStore store, PolicyBook policies, Seals seals, ConnectedAgents agents, TimeProvider time) : FleetService.FleetServiceBase
{
    private const int DefaultFound = 10_000;
    private const int MaxFound = 100_000;

    public override Task<ListInstancesResponse> ListInstances(ListInstancesRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var deviations = transaction.Deviations.NotClosed();
            var response = new ListInstancesResponse();
            response.Instances.AddRange(transaction.Instances.All().Select(instance => ToMessage(transaction, instance, deviations)));
            return response;
        }));

    public override Task<GetInstanceResponse> GetInstance(GetInstanceRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var instance = InstanceName.Find(transaction, request.Id);
            var response = new GetInstanceResponse
            {
                Instance = ToMessage(transaction, instance, transaction.Deviations.NotClosed()),
                Nearest = Nearest(transaction, instance),
            };
            response.Checks.AddRange(transaction.Checks.All(instance.Id).Select(CheckMapping.ToMessage));
            return response;
        }));

    public override async Task Diff(DiffRequest request, IServerStreamWriter<DiffResponse> responses, ServerCallContext context)
    {
        var (problems, (differences, leftOut)) = store.Read(transaction =>
        {
            var nodes = new MemoryNodes(transaction.Nodes);
            var left = State(transaction, request.Left, nodes);
            var right = State(transaction, request.Right, nodes);
            return (
                new[] { request.Left, request.Right }.Select(name => Problem(transaction, name)).Where(problem => problem.Length > 0).Distinct().ToList(),
                StateComparison.Between(nodes, left.Roots, right.Roots, new CoverageOverlap(left.Coverage, right.Coverage)));
        });

        foreach (var problem in problems)
            await responses.WriteAsync(new DiffResponse { Problem = problem }, context.CancellationToken);
        foreach (var difference in differences)
            await responses.WriteAsync(new DiffResponse { Difference = difference.ToMessage() }, context.CancellationToken);
        if (leftOut is not null)
            await responses.WriteAsync(new DiffResponse { LeftOut = leftOut }, context.CancellationToken);
    }

    public override Task<ListHeadsResponse> ListHeads(ListHeadsRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var id = InstanceName.Find(transaction, request.InstanceId).Id;
            var limit = request.Limit == 0 ? 100 : (int)Math.Min(request.Limit, 1_000);
            var heads = transaction.Heads.Backwards(id, request.Until?.ToTime("until")).Take(limit + 1).ToList();
            var response = new ListHeadsResponse();
            foreach (var (index, head) in heads.Take(limit).Index())
            {
                response.Heads.Add(new PastHead
                {
                    Head = ToMessage(head),
                    ReceivedAt = head.ReceivedAt.ToTimestamp(),
                    Differences = index + 1 < heads.Count ? Differences(transaction, heads[index + 1].Roots, head.Roots) : null,
                });
            }

            return response;
        }));

    public override async Task Find(FindRequest request, IServerStreamWriter<FindResponse> responses, ServerCallContext context)
    {
        var budget = new SearchBudget(request.Limit == 0 ? DefaultFound : (int)Math.Min(request.Limit, MaxFound), time, context.CancellationToken);
        var search = request.WhatCase switch
        {
            FindRequest.WhatOneofCase.Digest => FleetSearch.ForContent(store, request.Digest.ToDigest(), budget),
            FindRequest.WhatOneofCase.Key when Key(request.Key) is var (kind, key) => FleetSearch.ForKey(store, kind, key, budget),
            _ => throw new RpcException(new Status(StatusCode.InvalidArgument, "Neither a digest nor a key to find.")),
        };
        var instanceId = request.InstanceId.Length == 0 ? null : store.Read(transaction => InstanceName.Find(transaction, request.InstanceId).Id);
        foreach (var entry in !request.First ? search.Now(instanceId) : search.First() is { } first ? [first] : [])
            await responses.WriteAsync(entry.ToMessage(), context.CancellationToken);
        if (budget.Exceeded is { } more)
            await responses.WriteAsync(new FindResponse { More = more }, context.CancellationToken);
    }

    private StoredState State(StoreTransaction transaction, string name, MemoryNodes nodes) =>
        LayerStack.TryParse(name) is { } stack ? stack.Compose(transaction, policies, seals, nodes) : StoredState.Find(transaction, name, time.GetUtcNow());

    /// <summary>What nobody signed who may is still compared, for whoever looks what became of it; but it is said.</summary>
    private string Problem(StoreTransaction transaction, string name) =>
        VersionName.TryParse(name) is { } version && transaction.Baselines.Find(version) is { } baseline ? seals.ProblemOf(transaction, baseline) : "";

    /// <returns>Null: a line judges it, or would if bindings did not contradict each other.</returns>
    private Protocol.V1.NearestBaseline? Nearest(StoreTransaction transaction, Instance instance)
    {
        var isUnbound = Binding.LineOf(instance, transaction.Baselines.Bindings()) is { Line: null, Tie: null };
        return isUnbound && transaction.Heads.Newest(instance.Id) is { } head && Baselines.NearestBaseline.Of(transaction, policies, seals, head) is { } nearest
            ? new Protocol.V1.NearestBaseline { Baseline = nearest.Name.ToString(), Differences = (ulong)nearest.Differences }
            : null;
    }

    /// <summary>A key as people type it: the name of a folder may end with a slash.</summary>
    private static (EntryKind Kind, EntryKey Key) Key(string text)
    {
        try
        {
            return KeyText.Parse(text is ['/', _, ..] ? "/" + text.Trim('/') : text);
        }
        catch (FormatException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
    }

    private static DifferenceCounts Differences(StoreTransaction transaction, Protocol.Model.Roots before, Protocol.Model.Roots after)
    {
        var counts = new DifferenceCounts();
        foreach (var change in EntryKinds.All.SelectMany(kind => TreeDifference.Between(transaction.Nodes, before[kind], transaction.Nodes, after[kind])))
        {
            if (change.Before is null)
                counts.Added++;
            else if (change.After is null)
                counts.Removed++;
            else
                counts.Changed++;
        }

        return counts;
    }

    private Protocol.V1.Instance ToMessage(StoreTransaction transaction, Instance instance, ILookup<string, (Deviations.DeviationState State, long Count)> deviations)
    {
        var (missing, noticedAt) = transaction.LaneGaps.Missing(instance.Id);
        var isConnected = agents.IsConnected(instance.Id);
        var message = new Protocol.V1.Instance
        {
            Id = instance.Id,
            Name = instance.Name,
            State = isConnected ? InstanceState.Connected : InstanceState.Silent,
            Group = instance.Group,
            Customer = instance.Customer,
            Image = instance.Image,
            Baseline = instance.JudgedId is { } judged ? transaction.Baselines.NameOf(judged) : "",
            OpenDeviations = (uint)deviations[instance.Id].Where(one => one.State == Deviations.DeviationState.Open).Sum(one => one.Count),
            DecidedDeviations = (uint)deviations[instance.Id].Where(one => one.State != Deviations.DeviationState.Open).Sum(one => one.Count),
            AgentVersion = instance.AgentVersion,
            LastSeen = (agents.LastSeen(instance.Id) ?? instance.LastSeen).ToTimestamp(),
            Comparison = instance.Comparison,
            ContestedAt = instance.ContestedAt?.ToTimestamp(),
            ClockOffset = instance.ClockOffset is { } offset ? Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(offset) : null,
            StoreReturns = (ulong)instance.Returns,
            StoreReturnedAt = instance.ReturnedAt?.ToTimestamp(),
            MissingBatches = (ulong)missing,
            MissingNoticedAt = noticedAt?.ToTimestamp(),
        };
        message.Tags.Add(instance.Tags);
        if (transaction.Heads.Newest(instance.Id) is { } head)
            message.Head = ToMessage(head);
        return message;
    }

    private static Protocol.V1.InstanceHead ToMessage(InstanceHead head) => new()
    {
        Epoch = head.Position.Epoch,
        Sequence = head.Position.Sequence,
        ObservedAt = head.ObservedAt.ToTimestamp(),
        Roots = head.Roots.ToMessage(),
        Coverage = head.Coverage.ToMessage(),
    };
}
