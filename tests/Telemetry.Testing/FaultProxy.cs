using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Telemetry.Testing;

/// <summary>A network between a client and a server on this machine, which breaks on command.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Link, byte> _links = new();
    private readonly int _target;
    private readonly Task _accepting;
    private volatile TaskCompletionSource _flows = Completed();
    private volatile bool _isCut;
    private long _delayTicks;

    /// <param name="target">Port on this machine.</param>
    public FaultProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Resets every connection, and each new one, until healed.</summary>
    public void Cut()
    {
        _isCut = true;
        foreach (var link in _links.Keys)
            link.Reset();
    }

    /// <summary>Ends what goes to the server, of every connection there is; new ones are whole.</summary>
    public void HalfClose()
    {
        foreach (var link in _links.Keys)
            link.EndToServer();
    }

    /// <summary>Takes connections and bytes, and passes nothing on until healed.</summary>
    public void Stall() => _flows = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Passes everything on later, until healed.</summary>
    public void Delay(TimeSpan time) => Interlocked.Exchange(ref _delayTicks, time.Ticks);

    public void Heal()
    {
        _isCut = false;
        Delay(TimeSpan.Zero);
        _flows.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private async Task Accept()
    {
        while (!_stop.IsCancellationRequested)
            _ = Relay(await _listener.AcceptSocketAsync(_stop.Token));
    }

    private async Task Relay(Socket client)
    {
        using var link = new Link(client);
        _links[link] = 0;
        try
        {
            if (_isCut)
                return;
            await link.Server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            await Task.WhenAll(Pass(link.Client, link.Server), Pass(link.Server, link.Client));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // A connection that broke is what this is for.
        }
        finally
        {
            _links.TryRemove(link, out _);
            link.Reset();
        }
    }

    private async Task Pass(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        for (int length; (length = await from.ReceiveAsync(buffer, _stop.Token)) > 0;)
        {
            await _flows.Task.WaitAsync(_stop.Token);
            if (Interlocked.Read(ref _delayTicks) is > 0 and var ticks)
                await Task.Delay(TimeSpan.FromTicks(ticks), _stop.Token);
            for (var sent = 0; sent < length;)
                sent += await to.SendAsync(buffer.AsMemory(sent, length - sent), _stop.Token);
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private sealed class Link(Socket client) : IDisposable
    {
        public Socket Client => client;

        public Socket Server { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public void EndToServer()
        {
            try
            {
                Server.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // It has ended already.
            }
        }

        public void Reset()
        {
            Client.Close(timeout: 0);
            Server.Close(timeout: 0);
        }

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}
