using System.CommandLine;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary><c>baselines export</c>, and what <c>baselines import</c> does with its file.</summary>
internal static class BundleVerbs
{
    private static readonly Argument<string> Version = new("NAME:VERSION") { Description = "The version, such as shop:7." };
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "Is written." };

    public static readonly Option<bool> History = new("--history") { Description = "Of a bundle: it is retired at once, so it may be older than what is required." };

    private static readonly Option<bool> Force = new("--force") { Description = "Replaces a file that is there." };

    public static Command Export() => CommandLine.Verb(
        "export", "Writes a version, with its base, its layers and who signed them, for another collector.", "telemetryctl baselines export shop:7 shop-7.bundle", ExportAsync, Version, File, Force);

    /// <param name="name">That it must be; empty: whatever it is.</param>
    public static async Task<Protocol.V1.Baseline> ImportAsync(ParseResult arguments, string name, string path, CancellationToken cancellation)
    {
        using var file = BundleFile.Open(path);
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        using var call = client.ImportBundle(cancellationToken: cancellation);
        using var progress = new TransferProgress(file.Bundle.Nodes);
        var header = new ImportBundleHeader { Bundle = file.Bundle, Baseline = name, History = arguments.GetValue(History) };
        await call.RequestStream.WriteAsync(new ImportBundleRequest { Header = header }, cancellation);
        foreach (var batch in NodeBatches.Of(file.Nodes()))
        {
            await call.RequestStream.WriteAsync(new ImportBundleRequest { Nodes = batch }, cancellation);
            progress.Add(batch.Nodes.Count);
        }

        await call.RequestStream.CompleteAsync();
        return (await call.ResponseAsync).Baseline;
    }

    private static async Task<int> ExportAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var path = arguments.GetValue(File)!.FullName;
        var isForced = arguments.GetValue(Force);
        if (!isForced && Path.Exists(path))
            throw new CommandException(ExitCode.No, $"{path} is there already; name another file, or replace it with --force.");

        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        using var call = client.Export(new ExportRequest { Baseline = arguments.GetValue(Version) }, cancellationToken: cancellation);
        var responses = call.ResponseStream;
        if (!await responses.MoveNext(cancellation) || responses.Current.Bundle is not { } bundle)
            throw new CommandException(ExitCode.No, "The collector exports nothing; it is of another version than this program.");

        using var file = Create(path, bundle, isForced);
        using var progress = new TransferProgress(bundle.Nodes);
        var nodes = 0;
        while (await responses.MoveNext(cancellation))
        {
            foreach (var node in responses.Current.Nodes.Nodes)
                file.Add(node.Span);
            nodes += responses.Current.Nodes.Nodes.Count;
            progress.Add(responses.Current.Nodes.Nodes.Count);
        }

        file.Complete();
        progress.Dispose();
        var view = new ExportView(
            $"{bundle.Baseline.Name}:{bundle.Baseline.Version}",
            path,
            new FileInfo(path).Length,
            nodes,
            [.. bundle.Layers.Select(layer => $"{layer.Name}:{layer.Version}")],
            [.. bundle.Layers.SelectMany(layer => layer.Signatures).Concat(bundle.Base?.Signatures ?? []).Concat(bundle.Baseline.Signatures).Select(signature => signature.KeyId).Distinct()]);
        Output.Of(arguments).Show(view,
        [
            ("exported", view.Baseline),
            ("into", view.File),
            ("bytes", $"{view.Bytes}"),
            ("layers", string.Join(", ", view.Layers)),
            ("signed with", string.Join(", ", view.KeyIds)),
        ]);
        return ExitCode.Yes;
    }

    private static BundleFileWriter Create(string path, Protocol.V1.Bundle bundle, bool isForced)
    {
        try
        {
            return new BundleFileWriter(path, bundle, isForced);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.No, $"{path} cannot be written: {e.Message}");
        }
    }

    /// <summary>The JSON of <c>baselines export</c>.</summary>
    /// <param name="Nodes">Of all trees.</param>
    /// <param name="KeyIds">Of the keys that it is signed with; one for each part must be trusted where it is imported.</param>
    private sealed record ExportView(string Baseline, string File, long Bytes, int Nodes, IReadOnlyList<string> Layers, IReadOnlyList<string> KeyIds);
}
