using Grpc.Core;
using Telemetry.Collector.Identity;
using Telemetry.Collector.Ingest;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Baselines;

/// <summary>Baselines on their way from collector to collector.</summary>
internal sealed partial class BaselineGrpcService
{
    /// <summary>Messages below the size from which buffers are expensive.</summary>
    private const int MaxBatchBytes = 64 * 1024;

    public override async Task Export(ExportRequest request, IServerStreamWriter<ExportResponse> responses, ServerCallContext context)
    {
        var name = ParseName(request.Baseline);
        var (bundle, nodes) = store.Read(transaction =>
        {
            var bundle = bundles.Export(transaction, name);
            return (bundle, TreeReader.Nodes(transaction.Nodes, bundle.Roots));
        });
        await responses.WriteAsync(new ExportResponse { Bundle = bundle.ToMessage(nodes.Count) }, context.CancellationToken);

        // A read at a time: what versions are made of is never swept, and a slow reader holds no transaction.
        for (var sent = 0; sent < nodes.Count;)
        {
            var batch = new ImportNodes();
            store.Read(transaction =>
            {
                for (var bytes = 0; sent < nodes.Count && bytes < MaxBatchBytes; sent++)
                {
                    var node = transaction.Nodes.Read(nodes[sent]);
                    batch.Nodes.Add(Google.Protobuf.UnsafeByteOperations.UnsafeWrap(node));
                    bytes += node.Length;
                }
            });
            await responses.WriteAsync(new ExportResponse { Nodes = batch }, context.CancellationToken);
        }
    }

    public override async Task<ImportBundleResponse> ImportBundle(IAsyncStreamReader<ImportBundleRequest> requests, ServerCallContext context)
    {
        try
        {
            if (!await requests.MoveNext(context.CancellationToken) || requests.Current.Header is not { } header)
                throw new BadMessageException("an import without a header");

            var bundle = header.Bundle.ToModel();
            if (header.Baseline.Length > 0 && ParseName(header.Baseline) != bundle.Baseline.What.Name)
                throw new BaselineException($"The file holds {bundle.Baseline.What.Name}, not {header.Baseline}: what is signed has its name.");

            // Nothing of it is stored before it is known who signed it.
            bundles.Check(bundle, header.History);
            using var assembly = new HeadAssembly(bundle.Roots, room);
            await TakeAsync(assembly, requests, request => request.Nodes, context.CancellationToken);
            var baseline = bundles.Import(bundle, header.History, assembly.TakeChecked(), AdminToken.Holder);
            return new ImportBundleResponse { Baseline = ToMessage(baseline) };
        }
        catch (Exception) when (!context.CancellationToken.IsCancellationRequested)
        {
            // Who is still sending would not hear why it is refused: HTTP/1.1 answers once all is read.
            while (await requests.MoveNext(context.CancellationToken))
            {
            }

            throw;
        }
    }
}
