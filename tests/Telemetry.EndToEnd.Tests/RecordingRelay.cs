using System.Net;
using System.Net.Sockets;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Stands between an agent and its collector and keeps every byte that passes, in both directions.</summary>
internal sealed class RecordingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly MemoryStream _passed = new();
    private readonly List<MemoryStream> _fromAgents = [];
    private readonly int _target;
    private readonly Task _accepting;

    /// <param name="target">Port on this machine.</param>
    public RecordingRelay(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public byte[] Passed
    {
        get
        {
            lock (_passed)
                return _passed.ToArray();
        }
    }

    /// <summary>What agents sent, one connection after the other.</summary>
    public IReadOnlyList<byte[]> FromAgents
    {
        get
        {
            lock (_passed)
                return [.. _fromAgents.Select(sent => sent.ToArray())];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task Accept()
    {
        while (!_stop.IsCancellationRequested)
            _ = Relay(await _listener.AcceptTcpClientAsync(_stop.Token));
    }

    private async Task Relay(TcpClient agent)
    {
        using var collector = new TcpClient();
        var sent = new MemoryStream();
        lock (_passed)
            _fromAgents.Add(sent);
        using (agent)
        {
            await collector.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            await Task.WhenAny(Copy(agent.GetStream(), collector.GetStream(), sent), Copy(collector.GetStream(), agent.GetStream()));
        }
    }

    private async Task Copy(NetworkStream from, NetworkStream to, MemoryStream? kept = null)
    {
        var buffer = new byte[16 * 1024];
        for (int length; (length = await from.ReadAsync(buffer, _stop.Token)) > 0;)
        {
            lock (_passed)
            {
                _passed.Write(buffer, 0, length);
                kept?.Write(buffer, 0, length);
            }

            await to.WriteAsync(buffer.AsMemory(0, length), _stop.Token);
        }
    }
}
