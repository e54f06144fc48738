using System.CommandLine;
using Grpc.Core;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Text;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class LayersCommand
{
    private static readonly Argument<string> Name = new("NAME:VERSION") { Description = "The layer version, such as apache:2.4.62-1. Versions never change." };
    private static readonly Argument<string?> Made = new("NAME:VERSION") { Description = "The layer version to make. Default: as the claims say.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> Base = new("BASE") { Description = "The baseline version the layers go on." };
    private static readonly Argument<string[]> Layers = new("LAYER") { Description = "Layer versions, in order.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string?> Owner = new("--owner") { Description = "Whose layer it is. Default: as the claims say.", HelpName = "O" };
    private static readonly Option<string> From = new("--from") { Description = "The state it begins with: a baseline NAME:VERSION, an instance, or INSTANCE@TIME.", HelpName = "A", Required = true };
    private static readonly Option<string> To = new("--to") { Description = "The state with the layer: the same.", HelpName = "B", Required = true };
    private static readonly Option<FileInfo?> Claims = new("--claims") { Description = "What its owner ships with it: TOML as in deploy/layers.d/example.toml. It says what belongs to the layer beyond what it writes.", HelpName = "FILE" };
    private static readonly Option<string?> Policy = new("--policy") { Description = "Says what is no difference, and what is never part of a layer. Default: 'default'.", HelpName = "P" };

    private static readonly Option<string?> Line = new("--line") { Description = "The line that would be composed, whose policy says what is compared. Default: the base's.", HelpName = "NAME" };
    private static readonly Option<string?> ComparedBy = new("--policy") { Description = "Compares by this policy. Default: the line's, as 'baselines compose' does.", HelpName = "P" };

    /// <summary>Of conflicts, for <c>merge</c>, <c>compose</c> and <c>approve</c>.</summary>
    public static readonly Option<string[]> Resolve = new("--resolve")
    {
        Description = "Settles a conflict: KEY=NAME, with the name, without version, of the layer or base that is right; NAME+NAME where accounts shall share a number.",
        HelpName = "KEY=NAME",
    };

    public static Command Create() => new("layers", "Named, versioned, owned deltas, of which baselines are composed.")
    {
        CommandLine.Verb("create", "Makes a layer of what differs between two states.", "telemetryctl layers create apache:2.4.62-1 --owner acme --from base:1 --to i-1 --claims apache.toml\ntelemetryctl layers create --from base:1 --to i-1 --claims /etc/telemetry/layers.d/apache.toml", CreateAsync, Made, Owner, From, To, Claims, Policy),
        CommandLine.Verb("list", "Lists all layers.", "telemetryctl layers list", ListAsync),
        CommandLine.Verb("show", "Shows a layer and what it does, one entry a line.", "telemetryctl layers show apache:2.4.62-1", ShowAsync, Name),
        new SignatureVerbs(isLayer: true).Sign(),
        new SignatureVerbs(isLayer: true).Verify(),
        CommandLine.Verb("merge", "Tests layers for conflicts before they are merged; exits 1 on any. Changes nothing.", "telemetryctl layers merge base:1 apache:2.4.62-1 mysql:8.0.40-1 app:17\ntelemetryctl layers merge base:1 apache:2.4.62-1 app:17 --line shop", MergeAsync, Base, Layers, Line, ComparedBy, Resolve),
    };

    /// <exception cref="CommandException">Not KEY=NAME, or a key twice.</exception>
    public static IReadOnlyDictionary<string, string> Resolutions(ParseResult arguments)
    {
        var resolutions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in arguments.GetValue(Resolve) ?? [])
        {
            // A key may hold the sign, a name can't.
            var sign = text.LastIndexOf('=');
            if (sign <= 0 || !resolutions.TryAdd(text[..sign], text[(sign + 1)..]))
                throw new CommandException(ExitCode.WrongUsage, $"'{text}' does not settle a conflict; write each key once, as in --resolve /etc/motd=apache.");
        }

        return resolutions;
    }

    private static async Task<int> CreateAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var claims = arguments.GetValue(Claims);
        var request = new CreateLayerRequest
        {
            Layer = arguments.GetValue(Made) ?? "",
            Owner = arguments.GetValue(Owner) ?? "",
            From = arguments.GetValue(From),
            To = arguments.GetValue(To),
            Claims = claims is null ? "" : await ReadAsync(claims, cancellation),
            Policy = arguments.GetValue(Policy) ?? "",
        };
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        var response = await client.CreateLayerAsync(request, cancellationToken: cancellation);
        var layer = LayerView.Of(response.Layer) with { LeftOut = response.LeftOut.Length == 0 ? null : response.LeftOut };
        if (layer.LeftOut is { } leftOut)
            await Console.Error.WriteLineAsync($"No part of the layer, for it was {leftOut}.");
        Output.Of(arguments).Show(layer, Fields(layer));
        return ExitCode.Yes;
    }

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        var response = await client.ListLayersAsync(new ListLayersRequest(), cancellationToken: cancellation);
        Output.Of(arguments).List(
            [.. response.Layers.Select(LayerView.Of)],
            "No layer yet. Make one with 'layers create'.",
            ["LAYER", "OWNER", "ADDED", "REMOVED", "CHANGED", "CREATED", "STATE", "SOURCE"],
            layer =>
            [
                $"{layer.Name}:{layer.Version}", layer.Owner, $"{layer.Added}", $"{layer.Removed}", $"{layer.Changed}", Output.Time(layer.CreatedAt),
                layer.Problem is null ? "usable" : "not used", layer.Source,
            ]);
        Output.Of(arguments).Notes(response.Layers.Select(layer => layer.Problem));
        return ExitCode.Yes;
    }

    private static async Task<int> ShowAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        using var call = client.GetLayer(new GetLayerRequest { Layer = arguments.GetValue(Name) }, cancellationToken: cancellation);
        LayerView? layer = null;
        var entries = new List<DifferenceView>();
        await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
        {
            if (response.Layer is { } message)
                layer = LayerView.Of(message);
            else
                entries.Add(DiffCommand.ToView(response.Difference));
        }

        var output = Output.Of(arguments);
        output.Show(new { Layer = layer, Entries = entries }, Fields(layer!));
        if (!output.IsJson)
        {
            Console.Out.WriteLine();
            DiffCommand.Print(output, entries, "It does nothing.");
        }

        return ExitCode.Yes;
    }

    private static async Task<int> MergeAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var request = new MergeLayersRequest { Base = arguments.GetValue(Base), Line = arguments.GetValue(Line) ?? "", Policy = arguments.GetValue(ComparedBy) ?? "" };
        request.Layers.AddRange(arguments.GetValue(Layers));
        request.Resolutions.Add(Resolutions(arguments).ToDictionary());
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        using var call = client.MergeLayers(request, cancellationToken: cancellation);
        var conflicts = new List<ConflictView>();
        var summary = new MergeSummary();
        await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
        {
            if (response.Conflict is { } conflict)
                conflicts.Add(ConflictView.Of(conflict));
            else
                summary = response.Summary;
        }

        ShowSettled(summary.Settled);
        foreach (var warning in summary.Warnings)
            await Console.Error.WriteLineAsync(Output.Plain(warning));
        Output.Of(arguments).List(
            conflicts.SelectMany(conflict => conflict.Sides.Select((side, index) => (conflict, side, index))).ToList(),
            $"No conflicts: {Counted.Of((long)summary.Changes, "entry", "entries")} would be written, {Counted.Of(summary.SharedFiles.Count, "file is", "files are")} shared setting by setting. Compared by policy '{summary.Policy}'.",
            ["KIND", "KEY", "LAYER", "OWNER", "WANTS"],
            row => [row.index == 0 ? row.conflict.Kind : "", row.index == 0 ? row.conflict.Key : "", row.side.Layer, row.side.Owner, row.side.Wants],
            conflicts);
        if (conflicts.Count == 0)
            return ExitCode.Yes;

        await Console.Error.WriteLineAsync($"{Counted.Of(conflicts.Count, "conflict")}. {conflicts[0].Remedy} settles {(conflicts.Count == 1 ? "it" : "the first")}, here and in 'baselines compose'; or change a layer. Compared by policy '{summary.Policy}'.");
        return ExitCode.No;
    }

    /// <summary>Beside the answer, for people.</summary>
    public static void ShowSettled(IReadOnlyDictionary<string, string> settled)
    {
        foreach (var (key, what) in settled.OrderBy(one => one.Key, StringComparer.Ordinal))
            Console.Error.WriteLine(Output.Plain($"Settled {key}: {what}."));
    }

    private static List<(string Name, string? Value)> Fields(LayerView layer) =>
    [
        ("layer", $"{layer.Name}:{layer.Version}"),
        ("owner", layer.Owner),
        ("made", layer.Source),
        ("created", Output.Time(layer.CreatedAt)),
        ("entries", $"{layer.Added} added, {layer.Removed} removed, {layer.Changed} changed"),
        ("claims", layer.Claims?.TrimEnd()),
        ("problem", layer.Problem),
    ];

    private static async Task<string> ReadAsync(FileInfo file, CancellationToken cancellation)
    {
        try
        {
            return await File.ReadAllTextAsync(file.FullName, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.WrongConfiguration, $"{file.FullName} cannot be read: {e.Message}");
        }
    }
}
