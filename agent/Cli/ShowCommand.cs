using System.CommandLine;
using System.Text.Json;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Text;

namespace Telemetry.Agent.Cli;

/// <summary><c>show</c>: the entries of a manifest file, one a line.</summary>
internal static class ShowCommand
{
    private const string Examples = """
        telemetry-agent show machine.manifest --prefix /etc/ssh
        telemetry-agent show machine.manifest --kind package
        telemetry-agent show machine.manifest | jq -r 'select(.mode == "4755").key'
        """;

    private static readonly Argument<string> File = new("FILE") { Description = "A manifest file, made by 'scan'" };

    private static readonly Option<string?> Kind = KindOption();

    private static readonly Option<string?> Prefix = new("--prefix")
    {
        Description = "Only this key and what lies below it, e.g. /etc/ssh or package:dpkg",
        HelpName = "KEY",
    };

    public static Command Create()
    {
        var command = new Verb("show", "Print the entries of a manifest file, one a line", Examples) { File, Kind, Prefix, OutputFormat.Option };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult arguments)
    {
        var (kinds, prefix) = Selection(arguments.GetValue(Kind), arguments.GetValue(Prefix));
        var asTable = OutputFormat.IsTable(arguments);
        using var file = ManifestFile.Open(arguments.GetValue(File)!);
        using var output = new Output();
        var found = false;
        foreach (var kind in kinds)
        {
            foreach (var entry in TreeReader.Entries(file, file.Head.Roots[kind], prefix))
            {
                var view = EntryView.Of(kind, entry.Key, entry.Fingerprint);
                output.Line(asTable ? $"{view.Key,-56} {view.Summary}" : JsonSerializer.Serialize(view, ViewJson.Readable.EntryView));
                found = true;
            }
        }

        if (found || arguments.GetValue(Prefix) is not { } text)
            return ExitCode.Yes;
        Console.Error.WriteLine($"Nothing at or below '{text}' in this manifest.");
        return ExitCode.No;
    }

    private static (IReadOnlyList<EntryKind> Kinds, EntryKey Prefix) Selection(string? kindName, string? prefixText)
    {
        var kinds = EntryKinds.All.Where(kind => kindName is null || kind.Name() == kindName).ToList();
        if (prefixText is null)
            return (kinds, EntryKey.Root);

        try
        {
            var (kind, key) = KeyText.Parse(prefixText);
            return kinds.Contains(kind)
                ? ([kind], key)
                : throw new UsageException($"The prefix '{prefixText}' is of kind {kind.Name()}, not {kindName}; leave out --kind.");
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static Option<string?> KindOption()
    {
        var option = new Option<string?>("--kind") { Description = "Only entries of this kind", HelpName = "KIND" };
        option.AcceptOnlyFromAmong([.. EntryKinds.All.Select(kind => kind.Name())]);
        return option;
    }
}
