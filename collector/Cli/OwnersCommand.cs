using System.CommandLine;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class OwnersCommand
{
    private static readonly Argument<string> Owner = new("OWNER") { Description = "Whose key it is; 'collector' for another collector's, which speaks for all owners." };
    private static readonly Argument<string> Id = new("KEY-ID") { Description = "Id of the key, as 'owners list' shows it." };
    private static readonly Option<FileInfo> Key = new("--key") { Description = "The public key in PEM form (ECDSA on P-256).", HelpName = "FILE", Required = true };

    private static readonly Option<bool> Anew = new("--anew") { Description = "Though it is known as another's, or was revoked: from now on it is OWNER's." };

    public static Command Create() => new("owners", "Whose signatures of layers and baselines are accepted.")
    {
        CommandLine.Verb("list", "Lists the keys; the first of 'collector' is this collector's own.", "telemetryctl owners list", ListAsync),
        CommandLine.Verb("trust", "Accepts signatures of a key from now on.", "openssl ecparam -name prime256v1 -genkey -noout -out acme.key\nopenssl ec -in acme.key -pubout -out acme.pub\ntelemetryctl owners trust acme --key acme.pub", TrustAsync, Owner, Key, Anew),
        CommandLine.Verb("revoke", "Accepts signatures of a key no more: what only it signed is not used.", "telemetryctl owners revoke 0f3b5a2c9d1e7a44", RevokeAsync, Id),
    };

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new SigningService.SigningServiceClient(Connection.Open(arguments));
        var response = await client.ListKeysAsync(new ListKeysRequest(), cancellationToken: cancellation);
        Output.Of(arguments).List(
            [.. response.Keys.Select(KeyView.Of)],
            "No keys.",
            ["KEY", "OWNER", "ADDED", "REVOKED"],
            key => [key.Id, key.Owner, Output.Time(key.AddedAt), Output.Time(key.RevokedAt)]);
        return ExitCode.Yes;
    }

    private static async Task<int> TrustAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new SigningService.SigningServiceClient(Connection.Open(arguments));
        var request = new TrustKeyRequest { Owner = arguments.GetValue(Owner), Pem = await SigningKeyFile.PublicPemAsync(arguments.GetValue(Key)!, cancellation), Anew = arguments.GetValue(Anew) };
        return Show(arguments, (await JudgementProgress.During(arguments, client.TrustKeyAsync(request, cancellationToken: cancellation))).Key);
    }

    private static async Task<int> RevokeAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new SigningService.SigningServiceClient(Connection.Open(arguments));
        var request = new RevokeKeyRequest { Id = arguments.GetValue(Id) };
        return Show(arguments, (await JudgementProgress.During(arguments, client.RevokeKeyAsync(request, cancellationToken: cancellation))).Key);
    }

    private static int Show(ParseResult arguments, SigningKey message)
    {
        var key = KeyView.Of(message);
        Output.Of(arguments).Show(key, [("key", key.Id), ("owner", key.Owner), ("added", Output.Time(key.AddedAt)), ("revoked", Output.Time(key.RevokedAt))]);
        return ExitCode.Yes;
    }

    /// <summary>The JSON of <c>owners</c>.</summary>
    private sealed record KeyView(string Id, string Owner, string Pem, DateTime AddedAt, DateTime? RevokedAt)
    {
        public static KeyView Of(SigningKey key) => new(key.Id, key.Owner, key.Pem, key.AddedAt.ToDateTime(), key.RevokedAt?.ToDateTime());
    }
}
