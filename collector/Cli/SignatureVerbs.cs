using System.CommandLine;
using Google.Protobuf;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary><c>sign</c> and <c>verify</c>, of <c>baselines</c> and of <c>layers</c>.</summary>
/// <param name="isLayer">Else of baselines.</param>
internal sealed class SignatureVerbs(bool isLayer)
{
    private readonly Argument<string> _name = new("NAME:VERSION") { Description = isLayer ? "The layer version." : "The baseline version." };
    private readonly Option<FileInfo> _key = new("--key") { Description = "The owner's private key in PEM form; it does not leave this machine.", HelpName = "FILE", Required = true };

    public Command Sign() => CommandLine.Verb(
        "sign", "Adds the owner's signature.", isLayer ? "telemetryctl layers sign web:1 --key acme.key" : "telemetryctl baselines sign shop:7 --key ops.key", SignAsync, _name, _key);

    public Command Verify() => CommandLine.Verb(
        "verify", "Says who signed it; exits 1 when it is not signed as it must be, and so not used.", isLayer ? "telemetryctl layers verify web:1" : "telemetryctl baselines verify shop:7", VerifyAsync, _name);

    private async Task<int> SignAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new SigningService.SigningServiceClient(Connection.Open(arguments));
        var name = arguments.GetValue(_name);
        var asked = isLayer ? new GetStatementRequest { Layer = name } : new GetStatementRequest { Baseline = name };
        var statement = (await client.GetStatementAsync(asked, cancellationToken: cancellation)).Statement;
        var (keyId, signature) = await SigningKeyFile.SignAsync(arguments.GetValue(_key)!, statement.Memory, cancellation);
        var request = isLayer ? new AddSignatureRequest { Layer = name } : new AddSignatureRequest { Baseline = name };
        request.KeyId = keyId;
        request.Signature = ByteString.CopyFrom(signature);
        await client.AddSignatureAsync(request, cancellationToken: cancellation);
        Output.Of(arguments).Show(new { Name = name, KeyId = keyId }, [("signed", name), ("key", keyId)]);
        return ExitCode.Yes;
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
