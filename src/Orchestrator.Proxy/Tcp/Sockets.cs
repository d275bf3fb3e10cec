using System.Net.Sockets;

namespace Orchestrator.Proxy.Tcp;

internal static class Sockets
{
    public static async ValueTask SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }
}
