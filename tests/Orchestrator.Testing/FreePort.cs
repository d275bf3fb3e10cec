using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Testing;

/// <summary>
/// Ports for servers that a test starts. Below the kernel's own range: a port that the kernel once gave may be given again, to a
/// client connection of the very process that is to listen on it.
/// </summary>
public static class FreePort
{
    private const int First = 10_000;
    private const int Count = 10_000;

    private static int _next = Environment.ProcessId * 37 % Count;

    /// <returns>One that nobody listens on, and that no other call of this process has returned lately.</returns>
    public static int Next()
    {
        while (true)
        {
            var port = First + ((Interlocked.Increment(ref _next) & int.MaxValue) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.IPv6Any, port) { ExclusiveAddressUse = true };
                listener.Server.DualMode = true;
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }
}
