using Grpc.Core;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Identity;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;
using Layer = Telemetry.Collector.Layers.Layer;

namespace Telemetry.Collector.Baselines;

/// <summary>Layers, and baselines that are made of them.</summary>
internal sealed partial class BaselineGrpcService
{
    public override Task<ComposeResponse> Compose(ComposeRequest request, ServerCallContext context)
    {
        var (baseline, settled) = registry.ComposeSettled(ParseName(request.Baseline), ParseName(request.Base), ParseNames(request.Layers), request.Resolutions, AdminToken.Holder);
        return Task.FromResult(new ComposeResponse { Baseline = ToMessage(baseline), Settled = { settled } });
    }

    public override Task<CreateLayerResponse> CreateLayer(CreateLayerRequest request, ServerCallContext context)
    {
        var policy = request.Policy.Length == 0 ? Policies.PolicyVersion.Shipped.Name : request.Policy;
        var created = layers.Create(
            request.Layer.Length == 0 ? null : ParseName(request.Layer),
            request.Owner.Length == 0 ? null : OwnerOf(request.Owner),
            request.From, request.To, request.Claims, policy);
        return Task.FromResult(new CreateLayerResponse
        {
            Layer = store.Read(transaction => ToMessage(transaction, created.Layer)),
            LeftOut = created.LeftOut,
        });
    }

    public override Task<ListLayersResponse> ListLayers(ListLayersRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var response = new ListLayersResponse();
            response.Layers.AddRange(transaction.Layers.All().Select(layer => ToMessage(transaction, layer)));
            return response;
        }));

    public override async Task GetLayer(GetLayerRequest request, IServerStreamWriter<GetLayerResponse> responses, ServerCallContext context)
    {
        var name = ParseName(request.Layer);
        var (layer, differences) = store.Read(transaction =>
        {
            var layer = LayerRegistry.Find(transaction, name);
            return (ToMessage(transaction, layer), layer.Changes(transaction.Nodes).Select(DeviationMapping.ToMessage).ToList());
        });
        await responses.WriteAsync(new GetLayerResponse { Layer = layer }, context.CancellationToken);
        foreach (var difference in differences)
            await responses.WriteAsync(new GetLayerResponse { Difference = difference }, context.CancellationToken);
    }

    public override async Task MergeLayers(MergeLayersRequest request, IServerStreamWriter<MergeLayersResponse> responses, ServerCallContext context)
    {
        var (composed, policy) = layers.Merge(
            ParseName(request.Base), ParseNames(request.Layers), request.Resolutions, request.Line.Length == 0 ? null : request.Line, request.Policy.Length == 0 ? null : request.Policy);
        foreach (var conflict in composed.Conflicts)
            await responses.WriteAsync(new MergeLayersResponse { Conflict = ToMessage(conflict) }, context.CancellationToken);

        var summary = new MergeSummary { Conflicts = (uint)composed.Conflicts.Count, Changes = (ulong)composed.Changes, Policy = policy };
        summary.Settled.Add(composed.SettledBy(request.Resolutions));
        summary.Warnings.AddRange(composed.Warnings);
        summary.SharedFiles.AddRange(composed.SharedFiles.Select(file => KeyText.Format(EntryKind.File, file.Bytes)));
        await responses.WriteAsync(new MergeLayersResponse { Summary = summary }, context.CancellationToken);
    }

    private static List<VersionName> ParseNames(IEnumerable<string> names)
    {
        var parsed = names.Select(ParseName).ToList();
        return parsed.Count > 0 ? parsed : throw Wrong("Name one layer at least.");
    }

    private Protocol.V1.Layer ToMessage(StoreTransaction transaction, Layer layer)
    {
        var message = new Protocol.V1.Layer
        {
            Name = layer.Name.Line,
            Version = layer.Name.Version,
            Owner = layer.Owner,
            Source = layer.Source,
            CreatedAt = layer.CreatedAt.ToTimestamp(),
            Claims = layer.ClaimsText,
            Problem = seals.ProblemOf(transaction, layer),
        };
        foreach (var (_, change) in layer.Changes(transaction.Nodes))
        {
            if (change.Before is null)
                message.Added++;
            else if (change.After is null)
                message.Removed++;
            else
                message.Changed++;
        }

        return message;
    }

    private static Conflict ToMessage(LayerConflict conflict)
    {
        var message = new Conflict { Kind = conflict.Kind.ToString().ToLowerInvariant(), Key = conflict.Key, Remedy = conflict.Remedy };
        foreach (var side in conflict.Sides)
        {
            message.Sides.Add(new Protocol.V1.ConflictSide
            {
                Layer = side.Layer,
                Owner = side.Owner,
                Entry = conflict.Entry is var (kind, key) ? side.Entry?.ToMessage(kind, key) : null,
                Text = side.Text ?? "",
            });
        }

        return message;
    }
}
