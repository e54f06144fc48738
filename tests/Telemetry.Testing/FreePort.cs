using System.Net;
using System.Net.Sockets;

namespace Telemetry.Testing;

/// <summary>For servers that cannot take a port by themselves, or are to come back to the one they had.</summary>
public static class FreePort
{
    // Below those that the kernel gives to whoever takes any (net.ipv4.ip_local_port_range): nobody has it before the server is started,
    // or while it is down.
    private const int First = 10_000, End = 32_000;

    private static readonly HashSet<int> Given = [];

    public static int Find()
    {
        lock (Given)
        {
            while (true)
            {
                var port = Random.Shared.Next(First, End);
                if (!Given.Contains(port) && IsFree(port))
                {
                    Given.Add(port);
                    return port;
                }
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
