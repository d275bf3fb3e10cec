using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Proxy.Listening;

/// <summary>
/// Sockets that a successor may bind beside this process (SO_REUSEPORT), so that a proxy is replaced by a newer one without a
/// moment in which nobody listens.
/// </summary>
internal static class ListenSocket
{
    private const int SolSocketLinux = 1;
    private const int SoReusePortLinux = 15;

    /// <param name="takeOver">
    /// False: fails when anyone listens there. With shared ports the kernel would hand half of the connections to a proxy of somebody
    /// else, in silence.
    /// </param>
    /// <exception cref="SocketException">The port cannot be had.</exception>
    public static Socket Bind(EndPoint endpoint, bool takeOver)
    {
        if (!takeOver && endpoint is IPEndPoint { Port: not 0 })
        {
            using var probe = Create(endpoint, share: false);
            probe.Bind(endpoint);
        }

        var socket = Create(endpoint, share: true);
        try
        {
            socket.Bind(endpoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket Create(EndPoint endpoint, bool share)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any))
        {
            socket.DualMode = true;
        }

        if (share && OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption(SolSocketLinux, SoReusePortLinux, BitConverter.GetBytes(1));
        }

        return socket;
    }
}
