using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Telemetry.Agent.StatusReports;

/// <summary>Asks an agent that runs on this machine how it is.</summary>
internal static class StatusClient
{
    // A hundred gaps of four kilobytes, written out, and then some.
    private const int MaxAnswer = 4 << 20;

    /// <summary>Asks where an agent with this state directory may answer.</summary>
    /// <returns>The answer, and what it says; null when no such agent answers.</returns>
    /// <exception cref="UnauthorizedAccessException">An agent is there, and this user may not ask it.</exception>
    public static async Task<(string Json, StatusReport Report)?> AskAsync(string stateDirectory, CancellationToken cancellation)
    {
        var isDenied = false;
        foreach (var path in StatusSocket.SearchedAt(stateDirectory, Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY")))
        {
            try
            {
                // At the common place, the agent of another configuration may answer.
                if (await AskAtAsync(path, cancellation) is { } json
                    && JsonSerializer.Deserialize(json, StatusJson.Default.StatusReport) is { } report
                    && report.StateDirectory == stateDirectory)
                    return (json, report);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
            {
                isDenied = true;
            }
            catch (Exception e) when (e is SocketException or JsonException or ArgumentException)
            {
                // Nobody there, somebody else, or a path that is too long to be there: perhaps at the other place.
            }
        }

        return isDenied
            ? throw new UnauthorizedAccessException($"Only its own user may ask the agent of '{stateDirectory}'.")
            : null;
    }

    private static async Task<string?> AskAtAsync(string path, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(StatusSocket.Patience);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), patience.Token);
            await socket.SendAsync(Encoding.UTF8.GetBytes(StatusSocket.Request + "\n"), patience.Token);
            using var answer = new MemoryStream();
            var buffer = new byte[16 * 1024];
            while (await socket.ReceiveAsync(buffer, patience.Token) is var received and > 0 && answer.Length < MaxAnswer)
                answer.Write(buffer, 0, received);
            return Encoding.UTF8.GetString(answer.GetBuffer(), 0, (int)answer.Length);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }
}
