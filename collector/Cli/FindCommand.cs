using System.CommandLine;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Grpc.Core;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Text;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class FindCommand
{
    private static readonly Option<string?> Digest = new("--digest") { Description = "SHA-256 of a file's content, in hex.", HelpName = "DIGEST" };
    private static readonly Option<string?> Key = new("--key") { Description = "A key, such as /etc/passwd or package:dpkg/bash:amd64.", HelpName = "KEY" };
    private static readonly Option<bool> First = new("--first") { Description = "Where it was first seen instead, whether or not it is still there; as far as history is kept." };

    private static readonly Option<string?> Instance = new("--instance") { Description = "Only what this instance has now.", HelpName = "ID" };
    private static readonly Option<uint> Limit = NumberOption.Create("--limit", 10_000, 100_000);

    public static Command Create()
    {
        var command = CommandLine.Verb(
            "find",
            "Shows which instances have a content or a key now, and since when, or which had it first; exits 1 when none has.",
            "telemetryctl find --digest $(sha256sum < suspect | cut -c 1-64)\ntelemetryctl find --key package:dpkg/openssl:amd64\ntelemetryctl find --first --key /usr/local/bin/suspect",
            RunAsync, Digest, Key, First, Instance, Limit);
        command.Validators.Add(result =>
        {
            var digest = result.GetValue(Digest);
            if (digest is null == result.GetValue(Key) is null)
                result.AddError("Say what to find: --digest or --key, one of the two.");
            else if (result.GetValue(First) && result.GetValue(Instance) is not null)
                result.AddError("Where it was first is asked of all instances: leave --first or --instance out.");
            else if (digest is not null && (digest.Length != 64 || !digest.All(char.IsAsciiHexDigit)))
                result.AddError($"'{digest}' is no SHA-256 digest: 64 hexadecimal digits are expected.");
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new FleetService.FleetServiceClient(Connection.Open(arguments));
        var request = arguments.GetValue(Digest) is { } digest
            ? new FindRequest { Digest = ByteString.CopyFrom(Convert.FromHexString(digest)) }
            : new FindRequest { Key = arguments.GetValue(Key) };
        request.First = arguments.GetValue(First);
        request.InstanceId = arguments.GetValue(Instance) ?? "";
        request.Limit = arguments.GetValue(Limit);
        using var call = client.Find(request, cancellationToken: cancellation);
        var responses = await call.ResponseStream.ReadAllAsync(cancellation).ToListAsync(cancellation);
        var found = responses.Where(response => response.Entry is not null).Select(FoundView.Of).ToList();
        Output.Of(arguments).List(
            found,
            request.First ? "No instance had it, as far as history is kept." : "No instance has it.",
            ["INSTANCE", "KEY", "ENTRY", request.First ? "FIRST SEEN" : "SINCE", "NOT YET"],
            entry => [entry.Instance, entry.Entry.Key, entry.Entry.Summary, Output.Time(entry.Since), Output.Time(entry.After)]);
        foreach (var ended in responses.Where(response => response.More.Length > 0))
            await Console.Error.WriteLineAsync(ended.More);
        return found.Count > 0 ? ExitCode.Yes : ExitCode.No;
    }

    /// <param name="Since">The agent's clock: first seen so, without a break until now unless the first is asked for.</param>
    /// <param name="After">When it was still otherwise; null when nothing older is kept, or that said nothing of it.</param>
    private sealed record FoundView(
        string Instance, EntryView Entry, DateTime Since, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] DateTime? After)
    {
        public static FoundView Of(FindResponse found) =>
            new(found.InstanceId, EntryView.Of(found.Entry)!, found.Since.ToDateTime(), found.After?.ToDateTime());
    }
}
