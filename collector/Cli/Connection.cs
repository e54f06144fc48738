using System.CommandLine;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Telemetry.Protocol.Cli;

namespace Telemetry.Collector.Cli;

/// <summary>How commands find the server and prove who asks.</summary>
internal static class Connection
{
    public const string DefaultServer = "http://127.0.0.1:7080";

    /// <summary>A fleet with wide coverage makes long lists.</summary>
    private const int MaxMessageBytes = 256 * 1024 * 1024;

    public static readonly Option<string?> Server = new("--server")
    {
        Description = $"Address of the collector. Default: TELEMETRY_SERVER, else {DefaultServer}.",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<string?> TokenFile = new("--token-file")
    {
        Description = "File that holds the token. Default: TELEMETRY_TOKEN holds the token itself, else ~/.config/telemetry/token.",
        HelpName = "FILE",
        Recursive = true,
    };

    /// <exception cref="CommandException">No usable address or token.</exception>
    public static CallInvoker Open(ParseResult arguments)
    {
        var server = arguments.GetValue(Server) ?? Environment.GetEnvironmentVariable("TELEMETRY_SERVER") ?? DefaultServer;
        if (!Uri.TryCreate(server, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new CommandException(ExitCode.WrongUsage, $"'{server}' is not an address; write it like {DefaultServer}.");

        // Plain text cannot carry HTTP/2 beside HTTP/1.1 on one port: gRPC-Web there, native gRPC under TLS.
        HttpMessageHandler handler = new SocketsHttpHandler();
        if (address.Scheme == "http")
            handler = new GrpcWebHandler(GrpcWebMode.GrpcWeb, handler);

        var authorization = "Bearer " + Token(arguments);
        var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
            HttpVersion = address.Scheme == "http" ? System.Net.HttpVersion.Version11 : null,
        });
        return channel.Intercept(metadata =>
        {
            metadata.Add("authorization", authorization);
            return metadata;
        });
    }

    private static string Token(ParseResult arguments)
    {
        if (arguments.GetValue(TokenFile) is { } file)
            return Read(file);
        if (Environment.GetEnvironmentVariable("TELEMETRY_TOKEN") is { Length: > 0 } token)
            return token;

        var home = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config", "telemetry", "token");
        return File.Exists(home)
            ? Read(home)
            : throw new CommandException(
                ExitCode.NotAllowed,
                $"No token: pass --token-file with the collector's DATA_DIRECTORY/admin.token, set TELEMETRY_TOKEN, or copy it to {home}.");
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } token
                ? token
                : throw new CommandException(ExitCode.NotAllowed, $"The token file {file} is empty.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.NotAllowed, $"The token file cannot be read: {e.Message}");
        }
    }
}
