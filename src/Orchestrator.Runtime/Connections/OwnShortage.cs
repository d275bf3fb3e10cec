using System.Net.Sockets;

namespace Orchestrator.Runtime.Connections;

/// <summary>That a connection failed for what this process or its machine lacks: it says nothing about who was to be reached.</summary>
public static class OwnShortage
{
    public static bool Explains(Exception failure) =>
        failure.GetBaseException() is SocketException { SocketErrorCode: SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable };
}
