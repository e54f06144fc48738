using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Telemetry.Agent.StatusReports;

/// <summary>Answers <c>telemetry-agent status</c>: one request, one JSON answer, one client after the other.</summary>
internal sealed partial class StatusServer(AgentOptions options, StatusBoard board, TimeProvider clock, ILogger<StatusServer> log) : BackgroundService
{
    // Clients are the owner's, and done in no time; more than that are no people.
    private const int Backlog = 8;

    private readonly string _path = StatusSocket.ServedAt(options.StateDirectory, Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY"));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Listen(socket);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            Log.NotListening(log, _path, e.Message);
            return;
        }

        while (await AcceptAsync(socket, stoppingToken) is { } client)
        {
            using (client)
                await AnswerAsync(client, stoppingToken);
        }

        Remove();
    }

    private void Remove()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // With its directory; or it stays, and the next agent puts its own in its place.
            Log.NotRemoved(log, _path, e.Message);
        }
    }

    /// <returns>Null when the agent stops.</returns>
    private async Task<Socket?> AcceptAsync(Socket socket, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                return await socket.AcceptAsync(stoppingToken);
            }
            catch (SocketException e)
            {
                // Such as when there are no descriptors left: they will not be there at once.
                Log.NotAccepted(log, e.Message);
                await Task.Delay(StatusSocket.Patience, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        return null;
    }

    /// <summary>
    /// The new socket takes the place of what an agent that was killed left behind. There is no moment at which others could reach
    /// it, and none at which there is half of it.
    /// </summary>
    private void Listen(Socket socket)
    {
        var made = _path + ".new";
        File.Delete(made);
        socket.Bind(new UnixDomainSocketEndPoint(made));
        File.SetUnixFileMode(made, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        socket.Listen(Backlog);
        File.Move(made, _path, overwrite: true);
    }

    private async Task AnswerAsync(Socket client, CancellationToken stoppingToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        try
        {
            patience.CancelAfter(StatusSocket.Patience);
            if (await RequestAsync(client, patience.Token) != StatusSocket.Request)
                return;

            var answer = JsonSerializer.SerializeToUtf8Bytes(board.Read(), StatusJson.Default.StatusReport);
            for (var sent = 0; sent < answer.Length;)
                sent += await client.SendAsync(answer.AsMemory(sent), patience.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // A client that went away, or took too long, has itself to thank.
        }
    }

    /// <returns>The first line, without its end; what came when there is no more to come.</returns>
    private static async Task<string> RequestAsync(Socket client, CancellationToken cancellation)
    {
        var buffer = new byte[StatusSocket.MaxRequest];
        for (var length = 0; ;)
        {
            var received = await client.ReceiveAsync(buffer.AsMemory(length), cancellation);
            length += received;
            var end = buffer.AsSpan(0, length).IndexOf((byte)'\n');
            if (end >= 0 || received == 0 || length == buffer.Length)
                return Encoding.UTF8.GetString(buffer, 0, end >= 0 ? end : length);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "'telemetry-agent status' can't be answered at {Path} ({Reason}); all else works. Make its folder writable, or its path shorter than 100 characters")]
        public static partial void NotListening(ILogger log, string path, string reason);

        [LoggerMessage(3, LogLevel.Information, "{Path} was not removed: {Reason}")]
        public static partial void NotRemoved(ILogger log, string path, string reason);

        [LoggerMessage(2, LogLevel.Warning, "Who asks for the status can't be answered now ({Reason})")]
        public static partial void NotAccepted(ILogger log, string reason);
    }
}
