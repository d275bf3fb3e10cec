using System.Net;
using System.Net.Sockets;
using Orchestrator.Runtime.Connections;

namespace Orchestrator.HostAgent.Probing;

/// <summary>Passes when a TCP connection opens.</summary>
internal static class TcpProber
{
    /// <summary>
    /// On a loopback or IPv6 address it is docker-proxy that accepts, whether the container listens or not; if it does not,
    /// docker-proxy closes the connection as soon as it has found out. A server that waits for a request keeps it open.
    /// </summary>
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(50);

    public static async Task<ProbeOutcome> ProbeAsync(string host, int port, TimeSpan timeout, ProbeScheduler scheduler, CancellationToken cancellationToken)
    {
        using var limit = new ProbeLimit(scheduler, timeout, cancellationToken);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            EndPoint target = IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
            await socket.ConnectAsync(target, limit.Token);
            return MayBeDockerProxy(socket) && await IsClosedByPeerAsync(socket, scheduler)
                ? ProbeOutcome.Failed($"{host}:{port} closed the connection: nothing listens in the container")
                : ProbeOutcome.Passed;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ProbeOutcome.Late($"no connection to {host}:{port} within {timeout.TotalSeconds} s");
        }
        catch (SocketException failure) when (OwnShortage.Explains(failure))
        {
            return ProbeOutcome.NoSocket(failure);
        }
        catch (SocketException failure)
        {
            return ProbeOutcome.Failed($"no connection to {host}:{port}: {failure.Message}");
        }
    }

    private static bool MayBeDockerProxy(Socket socket) =>
        socket.RemoteEndPoint is IPEndPoint { Address: var peer }
        && (peer.IsIPv4MappedToIPv6 ? IPAddress.IsLoopback(peer.MapToIPv4()) : IPAddress.IsLoopback(peer) || peer.AddressFamily == AddressFamily.InterNetworkV6);

    /// <summary>Without a read that is then cancelled: a thousand exceptions a second are a good part of a processor.</summary>
    private static async Task<bool> IsClosedByPeerAsync(Socket socket, ProbeScheduler scheduler)
    {
        await scheduler.WaitAsync(Linger);
        return socket.Poll(TimeSpan.Zero, SelectMode.SelectRead) && socket.Available == 0;
    }
}
