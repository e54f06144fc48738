using System.CommandLine;
using Google.Protobuf;
using Telemetry.Collector.Signing;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary><c>sign</c> and <c>verify</c>, of <c>baselines</c> and of <c>layers</c>.</summary>
/// <param name="isLayer">Else of baselines.</param>
internal sealed class SignatureVerbs(bool isLayer)
{
    private readonly Argument<string> _name = new("NAME:VERSION") { Description = isLayer ? "The layer version." : "The baseline version." };
    private readonly Option<FileInfo> _key = new("--key") { Description = "The owner's private key in PEM form; it does not leave this machine.", HelpName = "FILE", Required = true };
    private readonly Option<string[]> _root = new("--root")
    {
        Description = "What you know it to be, as 'telemetry-agent scan' prints it: nothing is signed that has another root. Of the kind file, or KIND=DIGEST; may be given for each kind.",
        HelpName = "DIGEST",
    };

    public Command Sign() => CommandLine.Verb(
        "sign", "Shows what is signed, if it is what was asked for, and adds the owner's signature.", isLayer ? "telemetryctl layers sign web:1 --key acme.key" : "telemetryctl baselines sign shop:7 --key ops.key\ntelemetryctl baselines sign shop:7 --key ops.key --root package=01ab…", SignAsync, _name, _key, _root);

    public Command Verify() => CommandLine.Verb(
        "verify", "Says who signed it; exits 1 when it is not signed as it must be, and so not used.", isLayer ? "telemetryctl layers verify web:1" : "telemetryctl baselines verify shop:7", VerifyAsync, _name);

    private async Task<int> SignAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new SigningService.SigningServiceClient(Connection.Open(arguments));
        var name = arguments.GetValue(_name);
        var asked = isLayer ? new GetStatementRequest { Layer = name } : new GetStatementRequest { Baseline = name };
        var statement = (await client.GetStatementAsync(asked, cancellationToken: cancellation)).Statement;
        Check(name, statement.Memory, arguments.GetValue(_root) ?? []);
        var (keyId, signature) = await SigningKeyFile.SignAsync(arguments.GetValue(_key)!, statement.Memory, cancellation);
        var request = isLayer ? new AddSignatureRequest { Layer = name } : new AddSignatureRequest { Baseline = name };
        request.KeyId = keyId;
        request.Signature = ByteString.CopyFrom(signature);
        await client.AddSignatureAsync(request, cancellationToken: cancellation);
        Output.Of(arguments).Show(new { Name = name, KeyId = keyId }, [("signed", name), ("key", keyId)]);
        return ExitCode.Yes;
    }

    /// <summary>Who signs a statement says what is in it: it is looked at here, whatever the collector says it is.</summary>
    private void Check(string? name, ReadOnlyMemory<byte> statement, IEnumerable<string> roots)
    {
        try
        {
            var text = StatementText.Parse(statement);
            text.Check(isLayer ? "layer" : "baseline", name ?? "", roots);
            foreach (var (field, value) in text.Lines())
                Console.Error.WriteLine($"{field,-16}  {Output.PlainLines(value)}");
        }
        catch (SignatureException e)
        {
            throw new CommandException(ExitCode.No, e.Message);
        }
    }

    private async Task<int> VerifyAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new SigningService.SigningServiceClient(Connection.Open(arguments));
        var name = arguments.GetValue(_name);
        var request = isLayer ? new VerifyRequest { Layer = name } : new VerifyRequest { Baseline = name };
        var response = await client.VerifyAsync(request, cancellationToken: cancellation);
        var signers = response.Signers.Select(signer => new { signer.KeyId, Owner = signer.Owner.Length == 0 ? null : signer.Owner, signer.Verdict }).ToList();
        Output.Of(arguments).List(signers, "No signature.", ["KEY", "OWNER", "VERDICT"], signer => [signer.KeyId, signer.Owner ?? "-", signer.Verdict]);
        if (response.Problem.Length == 0)
            return ExitCode.Yes;
        await Console.Error.WriteLineAsync(response.Problem);
        return ExitCode.No;
    }
}
