using Grpc.Core;
using Telemetry.Collector.Identity;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Baselines;

/// <summary>Baselines, made and bound by people.</summary>
internal sealed partial class BaselineGrpcService(
    StateStore store, BaselineRegistry registry, LayerRegistry layers, BundleRegistry bundles, Seals seals, AssemblyRoom room) : BaselineService.BaselineServiceBase
{
    private const int MaxSelectorLength = 512;

    public override async Task<ImportResponse> Import(IAsyncStreamReader<ImportRequest> requests, ServerCallContext context)
    {
        if (!await requests.MoveNext(context.CancellationToken) || requests.Current.Header is not { } header)
            throw new BadMessageException("an import without a header");

        var name = ParseName(header.Baseline);
        var manifest = header.Manifest is null ? throw new BadMessageException("an import without a manifest") : header.Manifest.ToModel();
        using var assembly = new HeadAssembly(manifest.Roots, room);
        await TakeAsync(assembly, requests, request => request.Nodes, context.CancellationToken);
        var baseline = registry.Create(name, OwnerOf(header.Owner), manifest with { Source = "imported: " + manifest.Source }, assembly.TakeChecked(), AdminToken.Holder);
        return new ImportResponse { Baseline = ToMessage(baseline) };
    }

    public override Task<CaptureResponse> Capture(CaptureRequest request, ServerCallContext context)
    {
        var baseline = registry.Capture(ParseName(request.Baseline), request.InstanceId, OwnerOf(request.Owner), AdminToken.Holder);
        return Task.FromResult(new CaptureResponse { Baseline = ToMessage(baseline) });
    }

    public override Task<RetireResponse> Retire(RetireRequest request, ServerCallContext context) =>
        Task.FromResult(new RetireResponse { Baseline = ToMessage(registry.Retire(ParseName(request.Baseline), AdminToken.Holder)) });

    public override Task<GetBaselineResponse> GetBaseline(GetBaselineRequest request, ServerCallContext context)
    {
        var name = ParseName(request.Baseline);
        return Task.FromResult(store.Read(transaction =>
        {
            var baseline = BaselineRegistry.Find(transaction, name);
            var bindings = transaction.Baselines.Bindings().Where(binding => binding.Line == name.Line);
            return new GetBaselineResponse { Baseline = ToMessage(transaction, baseline, bindings) };
        }));
    }

    public override Task<GetJudgementProgressResponse> GetJudgementProgress(GetJudgementProgressRequest request, ServerCallContext context) =>
        Task.FromResult(new GetJudgementProgressResponse { Left = (ulong)store.Read(transaction => transaction.Pending.Count()) });

    public override Task<BindResponse> Bind(BindRequest request, ServerCallContext context)
    {
        var policy = request.Policy.Length == 0 ? null : request.Policy;
        var response = new BindResponse();
        response.InstanceIds.AddRange(ToBinding(request) is { } binding
            ? registry.Bind(binding, policy, AdminToken.Holder)
            : registry.SetPolicy(request.Name, request.Policy, AdminToken.Holder));
        return Task.FromResult(response);
    }

    public override Task<ListBaselinesResponse> ListBaselines(ListBaselinesRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(transaction =>
        {
            var bindings = transaction.Baselines.Bindings().ToLookup(binding => binding.Line);
            var response = new ListBaselinesResponse();
            response.Baselines.AddRange(transaction.Baselines.All().Select(baseline =>
                ToMessage(transaction, baseline, bindings[baseline.Name.Line])));
            return response;
        }));

    /// <summary>Takes in the nodes of complete trees, to the end of the stream.</summary>
    private async Task TakeAsync<T>(HeadAssembly assembly, IAsyncStreamReader<T> requests, Func<T, ImportNodes?> nodesOf, CancellationToken cancellation)
    {
        while (await requests.MoveNext(cancellation))
        {
            foreach (var node in nodesOf(requests.Current)?.Nodes ?? [])
                assembly.Take(node.ToByteArray());
            store.Read(transaction => assembly.AdvanceInOrder(transaction.Nodes));
            if (assembly.IsWorthStoring)
                await assembly.StoreAsync(store);
        }

        store.Read(transaction => assembly.AdvanceInOrder(transaction.Nodes));
        if (!assembly.IsComplete)
            throw new BadMessageException("the manifest's nodes are not complete");
    }

    private static VersionName ParseName(string text) =>
        VersionName.TryParse(text)
        ?? throw Wrong($"'{Protocol.Model.EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(text))}' is not a version; write {VersionName.Form}.");

    private static string OwnerOf(string text) =>
        text.Length == 0 ? Baseline.DefaultOwner
        : VersionName.IsLine(text) ? text
        : throw Wrong($"'{Protocol.Model.EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(text))}' is not the name of an owner: letters, digits, '.', '_' and '-', 63 at most.");

    private static RpcException Wrong(string message) => new(new Status(StatusCode.InvalidArgument, message));

    /// <returns>Null when only a policy is named.</returns>
    private static Binding? ToBinding(BindRequest request)
    {
        if (!VersionName.IsLine(request.Name))
            throw Wrong($"'{Causes.PeerText.Plain(request.Name)}' is not the name of a line; a binding names the line, such as shop, not a version.");

        // It is shown wherever the line is.
        var value = request.InstanceId + request.Image + request.Tag;
        if (value.Length > MaxSelectorLength || !Protocol.Model.EscapedText.IsPlain(value))
            throw Wrong($"What is bound has {MaxSelectorLength} characters at most, and none that can't be shown, such as control characters.");

        return request.SelectorCase switch
        {
            BindRequest.SelectorOneofCase.InstanceId => new Binding(Selector.Instance, request.InstanceId, request.Name),
            BindRequest.SelectorOneofCase.Image => new Binding(Selector.Image, request.Image, request.Name),
            BindRequest.SelectorOneofCase.Tag when request.Tag.IndexOf('=') > 0 => new Binding(Selector.Tag, request.Tag, request.Name),
            BindRequest.SelectorOneofCase.None when request.Policy.Length > 0 => null,
            _ => throw Wrong("Say what to bind: an instance, an image, a tag as KEY=VALUE, or a policy."),
        };
    }

    private Protocol.V1.Baseline ToMessage(Baseline baseline) => store.Read(transaction => ToMessage(transaction, baseline, []));

    private Protocol.V1.Baseline ToMessage(StoreTransaction transaction, Baseline baseline, IEnumerable<Binding> bindings)
    {
        var message = new Protocol.V1.Baseline
        {
            Name = baseline.Name.Line,
            Version = baseline.Name.Version,
            Roots = baseline.Roots.ToMessage(),
            Coverage = baseline.Coverage.ToMessage(),
            Source = baseline.Source,
            CreatedAt = baseline.CreatedAt.ToTimestamp(),
            Entries = (ulong)baseline.Entries,
            Policy = transaction.Policies.OfLine(baseline.Name.Line),
            Owner = baseline.Owner,
            RetiredAt = baseline.RetiredAt?.ToTimestamp(),
            Base = baseline.BaseId is { } id ? transaction.Baselines.NameOf(id) : "",
            Problem = seals.ProblemOf(transaction, baseline),
        };
        message.Layers.AddRange(transaction.Layers.Of(baseline.Id).Select(layer => layer.Name.ToString()));
        message.Resolutions.Add(baseline.Resolutions);
        message.Bindings.AddRange(bindings.Select(binding => binding.ToString()));
        return message;
    }
}
