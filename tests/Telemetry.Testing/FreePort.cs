using System.Net;
using System.Net.Sockets;

namespace Telemetry.Testing;

/// <summary>For servers that cannot take a port by themselves.</summary>
public static class FreePort
{
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
