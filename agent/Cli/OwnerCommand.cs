using System.CommandLine;
using System.Text.Json;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Cli;

/// <summary><c>owner</c>: which packages own a path, by the package database below a root.</summary>
internal static class OwnerCommand
{
    private const string Examples = """
        telemetry-agent owner /usr/bin/env
        telemetry-agent owner --root /mnt/image /etc/hosts /usr/sbin/init
        telemetry-agent owner /usr/bin/* --output json | jq -r 'select(.packages == []).path'
        """;

    private static readonly Argument<string[]> Paths = new("PATH")
    {
        Description = "Path below the root, with its leading slash",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create(TimeProvider clock)
    {
        var command = new Verb("owner", "Print which packages own a path; exits 1 when one is owned by none", Examples)
        {
            Paths, PackageQuestion.Root, OutputFormat.Option,
        };
        command.SetAction(arguments => Run(arguments, clock));
        return command;
    }

    private static int Run(ParseResult arguments, TimeProvider clock)
    {
        using var interruption = new Interruption();
        var asTable = OutputFormat.IsTable(arguments);
        var asked = arguments.GetValue(Paths)!.Select(Parse).ToList();
        var (tree, sources) = PackageQuestion.Open(arguments, clock);
        using (tree)
        {
            // One pass over the database answers for any number of paths, and is quicker than an index that is used once.
            var paths = new RealPaths(tree);
            var owners = asked.Select(path => Real(paths, path)).Distinct().ToDictionary(path => path, _ => new List<PackageFile>());
            var mistakes = new List<string>();
            foreach (var source in sources)
                source.Read(_ => true, file => owners.GetValueOrDefault(file.Path)?.Add(file), mistakes.Add, interruption.Token);

            var views = asked.ConvertAll(path => PackageOwnersView.Of(path, Real(paths, path), owners[Real(paths, path)]));
            using (var output = new Output())
            {
                foreach (var line in views.SelectMany(view => asTable ? view.Rows() : [JsonSerializer.Serialize(view, PackageJson.Readable.PackageOwnersView)]))
                    output.Line(line);
            }

            PackageQuestion.Report(mistakes);
            return mistakes.Count == 0 && views.TrueForAll(view => view.Packages.Count > 0) ? ExitCode.Yes : ExitCode.No;
        }
    }

    private static EntryKey Parse(string text)
    {
        try
        {
            var (kind, key) = KeyText.Parse(text);
            if (kind == EntryKind.File)
                return new EntryKey(EntryKeyOfPath(key));
        }
        catch (FormatException)
        {
            // Said below.
        }

        throw new UsageException($"'{EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(text))}' is not a path below the root; paths begin with a slash, and a backslash in them is written \\x5c.");
    }

    /// <summary>Without the empty components of doubled and trailing slashes.</summary>
    private static ReadOnlySpan<byte> EntryKeyOfPath(EntryKey key)
    {
        var bytes = new List<byte>(key.Length);
        foreach (var range in key.Bytes.Split(EntryKey.Separator))
        {
            if (key.Bytes[range].IsEmpty)
                continue;
            if (bytes.Count > 0)
                bytes.Add(EntryKey.Separator);
            bytes.AddRange(key.Bytes[range]);
        }

        return bytes.ToArray();
    }

    private static EntryKey Real(RealPaths paths, EntryKey asked)
    {
        var path = asked.Bytes.ToArray();
        path.AsSpan().Replace(EntryKey.Separator, (byte)'/');
        return paths.Of(path) ?? throw new UsageException($"'{KeyText.Format(EntryKind.File, asked.Bytes)}' is no path: it has a component '..', or is longer or deeper than any is.");
    }
}
