using Microsoft.AspNetCore.Http;

namespace Orchestrator.Proxy.Tcp;

/// <summary>How a connection has ended, or why none came about.</summary>
internal enum TcpEnd
{
    /// <summary>Both sides have ended it.</summary>
    Closed,

    /// <summary>The client has broken it off, or went away before there was a replica for it.</summary>
    ClientReset,

    /// <summary>The replica has broken it off.</summary>
    ReplicaReset,

    /// <summary>No byte came either way for too long.</summary>
    Idle,

    /// <summary>The replica's host has fallen silent.</summary>
    HostSilent,

    /// <summary>The listener has closed, or the proxy stops, and the time for what was open is over.</summary>
    Drained,

    NoReadyReplica,

    /// <summary>No replica that was tried took the connection.</summary>
    ConnectFailed,

    /// <summary>All replicas have as many connections as they may.</summary>
    Busy,

    RateLimited,

    /// <summary>The handshake came to nothing, or the client's certificate is not one that the app accepts.</summary>
    TlsRefused,
}

internal static class TcpEnds
{
    public static IReadOnlyList<TcpEnd> All { get; } = Enum.GetValues<TcpEnd>();

    /// <summary>
    /// What the end would be called in HTTP: by it canaries and autoscaling count whose failure it was, as with requests, and the access log
    /// says what nginx' says of its streams.
    /// </summary>
    public static int StatusOf(TcpEnd end) => end switch
    {
        TcpEnd.ClientReset => StatusCodes.Status499ClientClosedRequest,
        TcpEnd.ReplicaReset or TcpEnd.ConnectFailed => StatusCodes.Status502BadGateway,
        TcpEnd.HostSilent => StatusCodes.Status504GatewayTimeout,
        TcpEnd.NoReadyReplica or TcpEnd.Busy => StatusCodes.Status503ServiceUnavailable,
        TcpEnd.RateLimited => StatusCodes.Status429TooManyRequests,
        TcpEnd.TlsRefused => StatusCodes.Status403Forbidden,
        _ => StatusCodes.Status200OK,
    };
}
