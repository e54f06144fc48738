using System.CommandLine;
using Telemetry.Collector.Baselines;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class BaselinesCommand
{
    private static readonly Argument<string> Version = new("NAME:VERSION") { Description = "The version to make, such as shop:7. Versions never change." };
    private static readonly Argument<string[]> Imported = new("[NAME:VERSION] FILE")
    {
        Description = "The version to make of a manifest that 'telemetry-agent scan' made. A bundle of 'baselines export' says itself which it is.",
        Arity = new ArgumentArity(1, 2),
    };

    private static readonly Argument<string> Line = new("NAME") { Description = "The line, without a version: its newest is required." };
    private static readonly Option<string> Captured = new("--instance") { Description = "Id of the instance.", HelpName = "ID", Required = true };
    private static readonly Option<string?> Instance = new("--instance") { Description = "Id of an instance.", HelpName = "ID" };
    private static readonly Option<string?> Ami = new("--ami") { Description = "Instances started from this machine image.", HelpName = "AMI" };
    private static readonly Option<string?> Tag = new("--tag") { Description = "Instances with this tag.", HelpName = "K=V" };

    private static readonly Argument<string> Known = new("NAME:VERSION") { Description = "The version, such as shop:7." };
    private static readonly Option<string> Base = new("--base") { Description = "The version the layers go on; may be composed itself.", HelpName = "B", Required = true };
    private static readonly Option<string[]> Layers = new("--layer") { Description = "A layer version; repeat it for more, in order.", HelpName = "L", Required = true };
    private static readonly Option<string?> Owner = new("--owner") { Description = "Whose everything in it is that belongs to no layer. Default: 'base'.", HelpName = "O" };
    private static readonly Option<string?> Policy = new("--policy") { Description = "The policy the line judges by. Default: as before, at first 'default'.", HelpName = "P" };

    public static Command Create() => new("baselines", "Golden states: their versions, and who is bound to them.")
    {
        CommandLine.Verb("import", "Makes a version of a manifest file, or takes one that another collector exported.", "telemetryctl baselines import shop:7 image.manifest\ntelemetryctl baselines import shop-7.bundle", ImportAsync, Imported, Owner, BundleVerbs.History),
        BundleVerbs.Export(),
        CommandLine.Verb("capture", "Makes a version of what an instance is now.", "telemetryctl baselines capture shop:7 --instance i-1", CaptureAsync, Version, Captured, Owner),
        CommandLine.Verb("bind", "Says which line judges which instances, and by which policy. An instance wins over an AMI, an AMI over a tag.", "telemetryctl baselines bind shop --tag role=shop\ntelemetryctl baselines bind shop --policy web", BindAsync, Line, Instance, Ami, Tag, Policy),
        CommandLine.Verb("compose", "Makes a version of a base and layers on it, in order.", "telemetryctl baselines compose shop:8 --base base:1 --layer apache:2.4.62-1 --layer app:17", ComposeAsync, Version, Base, Layers, LayersCommand.Resolve),
        CommandLine.Verb("retire", "Ends that an older version is accepted.", "telemetryctl baselines retire shop:6", RetireAsync, Known),
        CommandLine.Verb("show", "Shows one version, and what it is made of.", "telemetryctl baselines show shop:7", ShowAsync, Known),
        new SignatureVerbs(isLayer: false).Sign(),
        new SignatureVerbs(isLayer: false).Verify(),
        CommandLine.Verb("list", "Lists all versions and bindings.", "telemetryctl baselines list", ListAsync),
    };

    private static async Task<int> ImportAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var (name, path) = arguments.GetValue(Imported) is [var version, var named] ? (version, Path.GetFullPath(named)) : ("", Path.GetFullPath(arguments.GetValue(Imported)![0]));
        if (BundleFile.IsBundle(path))
        {
            return arguments.GetValue(Owner) is null
                ? Made(arguments, await BundleVerbs.ImportAsync(arguments, name, path, cancellation))
                : throw new CommandException(ExitCode.WrongUsage, "What another collector exported has its owner; leave --owner out.");
        }

        if (!File.Exists(path))
            throw new CommandException(ExitCode.No, $"There is no file {path}.");
        if (name.Length == 0)
            throw new CommandException(ExitCode.WrongUsage, $"Say which version to make of the manifest, as in 'baselines import shop:7 {path}'.");
        if (arguments.GetValue(BundleVerbs.History))
            throw new CommandException(ExitCode.WrongUsage, "Only what another collector exported can be history; leave --history out.");

        using var file = Open(path);
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        using var call = client.Import(cancellationToken: cancellation);
        await call.RequestStream.WriteAsync(
            new ImportRequest { Header = new ImportHeader { Baseline = name, Manifest = file.Head.ToMessage(), Owner = arguments.GetValue(Owner) ?? "" } },
            cancellation);

        foreach (var batch in NodeBatches.Of(file.Nodes()))
            await call.RequestStream.WriteAsync(new ImportRequest { Nodes = batch }, cancellation);
        await call.RequestStream.CompleteAsync();
        return Made(arguments, (await JudgementProgress.During(arguments, call.ResponseAsync)).Baseline);
    }

    private static async Task<int> CaptureAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        var request = new CaptureRequest { Baseline = arguments.GetValue(Version), InstanceId = arguments.GetValue(Captured), Owner = arguments.GetValue(Owner) ?? "" };
        return Made(arguments, (await JudgementProgress.During(arguments, client.CaptureAsync(request, cancellationToken: cancellation))).Baseline);
    }

    private static async Task<int> BindAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var request = new BindRequest { Name = arguments.GetValue(Line) };
        var given = 0;
        if (arguments.GetValue(Instance) is { } instance)
            (request.InstanceId, given) = (instance, given + 1);
        if (arguments.GetValue(Ami) is { } image)
            (request.Image, given) = (image, given + 1);
        if (arguments.GetValue(Tag) is { } tag)
            (request.Tag, given) = (tag, given + 1);
        request.Policy = arguments.GetValue(Policy) ?? "";
        if (given > 1 || (given == 0 && request.Policy.Length == 0))
            throw new CommandException(ExitCode.WrongUsage, "Say what to bind with exactly one of --instance, --ami and --tag, or --policy, or both.");

        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        var response = await JudgementProgress.During(arguments, client.BindAsync(request, cancellationToken: cancellation));
        Output.Of(arguments).Show(
            new { request.Name, Instances = response.InstanceIds.ToArray() },
            [("bound", request.Name), ("judges", response.InstanceIds.Count == 0 ? "no known instance yet" : string.Join(' ', response.InstanceIds))]);
        return ExitCode.Yes;
    }

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        var response = await client.ListBaselinesAsync(new ListBaselinesRequest(), cancellationToken: cancellation);
        Output.Of(arguments).List(
            [.. response.Baselines.Select(BaselineView.Of)],
            "No baseline yet. Make one with 'baselines capture' or 'baselines import'.",
            ["BASELINE", "ENTRIES", "CREATED", "STATE", "SOURCE", "POLICY", "BOUND TO"],
            baseline =>
            [
                $"{baseline.Name}:{baseline.Version}",
                $"{baseline.Entries}",
                Output.Time(baseline.CreatedAt),
                baseline.State.Replace('_', ' '),
                baseline.Source,
                baseline.Policy,
                string.Join(", ", baseline.Bindings),
            ]);
        Output.Of(arguments).Notes(response.Baselines.Select(baseline => baseline.Problem));
        return ExitCode.Yes;
    }

    private static async Task<int> ComposeAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var request = new ComposeRequest { Baseline = arguments.GetValue(Version), Base = arguments.GetValue(Base) };
        request.Layers.AddRange(arguments.GetValue(Layers));
        request.Resolutions.Add(LayersCommand.Resolutions(arguments).ToDictionary());
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        var response = await JudgementProgress.During(arguments, client.ComposeAsync(request, cancellationToken: cancellation));
        LayersCommand.ShowSettled(response.Settled);
        return Made(arguments, response.Baseline);
    }

    private static async Task<int> RetireAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        var request = new RetireRequest { Baseline = arguments.GetValue(Known) };
        return Made(arguments, (await JudgementProgress.During(arguments, client.RetireAsync(request, cancellationToken: cancellation))).Baseline);
    }

    private static async Task<int> ShowAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        var request = new GetBaselineRequest { Baseline = arguments.GetValue(Known) };
        return Made(arguments, (await client.GetBaselineAsync(request, cancellationToken: cancellation)).Baseline);
    }

    private static int Made(ParseResult arguments, Protocol.V1.Baseline message)
    {
        var baseline = BaselineView.Of(message);
        Output.Of(arguments).Show(baseline,
        [
            ("baseline", $"{baseline.Name}:{baseline.Version}"),
            ("entries", $"{baseline.Entries}"),
            ("file root", baseline.Roots.File),
            ("package root", baseline.Roots.Package),
            ("source", baseline.Source),
            ("owner", baseline.Owner),
            ("base", baseline.Base),
            ("layers", string.Join(", ", baseline.Layers)),
            ("settled", string.Join(", ", baseline.Resolutions.Select(settled => $"{settled.Key}={settled.Value}"))),
            ("policy", baseline.Policy),
            ("bound to", string.Join(", ", baseline.Bindings)),
            ("state", baseline.State.Replace('_', ' ')),
            ("retired", Output.Time(baseline.RetiredAt)),
            ("problem", baseline.Problem),
        ]);
        return ExitCode.Yes;
    }

    private static ManifestFile Open(string path)
    {
        try
        {
            return ManifestFile.Open(path);
        }
        catch (ManifestFileException e)
        {
            throw new CommandException(ExitCode.No, e.Message);
        }
    }
}
