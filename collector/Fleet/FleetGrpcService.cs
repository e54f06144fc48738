using Grpc.Core;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Fleet;

/// <summary>Instances and their states, for people and programs.</summary>
internal sealed class FleetGrpcService(StateStore store, ConnectedAgents agents) : FleetService.FleetServiceBase
{
    public override Task<ListInstancesResponse> ListInstances(ListInstancesRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var open = transaction.Deviations.OpenBySeverity();
            var response = new ListInstancesResponse();
            response.Instances.AddRange(transaction.Instances.All().Select(instance => ToMessage(transaction, instance, open)));
            return response;
        }));

    public override Task<GetInstanceResponse> GetInstance(GetInstanceRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var instance = transaction.Instances.Find(request.Id)
                ?? throw NotFound($"There is no instance '{request.Id}'; 'telemetryctl instances list' shows those there are.");
            return new GetInstanceResponse { Instance = ToMessage(transaction, instance, transaction.Deviations.OpenBySeverity()) };
        }));

    public override async Task Diff(DiffRequest request, IServerStreamWriter<DiffResponse> responses, ServerCallContext context)
    {
        var (differences, leftOut) = store.Read(transaction =>
        {
            var left = StateOf(transaction, request.Left);
            var right = StateOf(transaction, request.Right);
            var overlap = new CoverageOverlap(left.Coverage, right.Coverage);
            var all = Comparison.Between(transaction.Nodes, left.Roots, right.Roots, overlap).ToList();
            var known = all.FindAll(difference => Closeness.Of(difference.Kind, difference.Change) != Verdict.OtherKey);
            return (known, LeftOut.With(overlap.LeftOut, all.Count - known.Count));
        });

        foreach (var difference in differences)
            await responses.WriteAsync(new DiffResponse { Difference = difference.ToMessage() }, context.CancellationToken);
        if (leftOut is not null)
            await responses.WriteAsync(new DiffResponse { LeftOut = leftOut }, context.CancellationToken);
    }

    private static (Protocol.Model.Roots Roots, Protocol.Model.Coverage Coverage) StateOf(StoreTransaction transaction, string name)
    {
        if (BaselineName.TryParse(name) is { } baselineName)
        {
            return transaction.Baselines.Find(baselineName) is { } baseline
                ? (baseline.Roots, baseline.Coverage)
                : throw NotFound($"There is no baseline '{name}'; 'telemetryctl baselines list' shows those there are.");
        }

        if (transaction.Instances.Find(name) is null)
            throw NotFound($"'{name}' is neither an instance nor a baseline ({BaselineName.Form}); 'telemetryctl instances list' shows the instances.");

        return transaction.Heads.Newest(name) is { } head
            ? (head.Roots, head.Coverage)
            : throw new RpcException(new Status(StatusCode.FailedPrecondition, $"Instance '{name}' has not reported a complete state yet; try again shortly."));
    }

    private Protocol.V1.Instance ToMessage(StoreTransaction transaction, Instance instance, ILookup<string, (Telemetry.Protocol.Model.Severity Severity, long Count)> open)
    {
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
            OpenDeviations = (uint)open[instance.Id].Sum(count => count.Count),
            AgentVersion = instance.AgentVersion,
            LastSeen = (agents.LastSeen(instance.Id) ?? instance.LastSeen).ToTimestamp(),
            Comparison = instance.Comparison,
        };
        message.Tags.Add(instance.Tags);
        if (transaction.Heads.Newest(instance.Id) is { } head)
        {
            message.Head = new Protocol.V1.InstanceHead
            {
                Epoch = head.Position.Epoch,
                Sequence = head.Position.Sequence,
                ObservedAt = head.ObservedAt.ToTimestamp(),
                Roots = head.Roots.ToMessage(),
                Coverage = head.Coverage.ToMessage(),
            };
        }

        return message;
    }

    private static RpcException NotFound(string message) => new(new Status(StatusCode.NotFound, message));
}
