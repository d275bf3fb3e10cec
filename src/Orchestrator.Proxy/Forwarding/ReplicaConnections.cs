using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Plain;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime.Connections;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// Connections to one replica, kept for the next request: of any client, or of the same one if the replica is told of it when the
/// connection begins (<see cref="ClientLine"/>).
/// </summary>
/// <param name="connectTimeout">After which an endpoint counts as one that refuses connections.</param>
internal sealed class ReplicaConnections(EndpointId replica, ReplicaHost host, TimeSpan connectTimeout, TimeProvider time)
    : HttpMessageInvoker(NewHandler(replica, connectTimeout, time))
{
    /// <summary>
    /// How long a connection may wait for its next request. Shorter than the keep-alive of the servers in use (Apache and Node.js
    /// 5 s, nginx 75 s), so that it is we who close: a request sent while the other side closes is lost.
    /// </summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Of the files that may be open: without any left the runtime ends the process.</summary>
    private const double MostOpen = 0.9;

    /// <summary>Those for plain requests; the client library has its own.</summary>
    public KeptConnections Plain { get; } = new(replica, host, connectTimeout, time);

    /// <summary>Idempotent by RFC 9110, 9.2.2: sent twice is as good as once.</summary>
    public static bool IsRepeatable(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method)
        || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    public override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // The handler sends a request without content again when a connection that was kept alive breaks under it. That may only
        // happen to requests that may be repeated, so the others get a content, if an empty one.
        if (request.Content is null && !IsRepeatable(request.Method.Method))
        {
            request.Content = new ByteArrayContent([]);
        }

        // The client sent none (HTTP/1.0), and the URL's would say something only we understand.
        if (request.Headers.Host is null && request.RequestUri is { } url && ClientLine.Parse(url.Host) is not null)
        {
            request.Headers.Host = $"{replica.Address}:{replica.Port}";
        }

        return base.SendAsync(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Plain.Dispose();
        }

        base.Dispose(disposing);
    }

    private static SocketsHttpHandler NewHandler(EndpointId replica, TimeSpan connectTimeout, TimeProvider time) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
        PooledConnectionIdleTimeout = IdleTimeout,

        // A replica that speaks HTTP/2 says how many requests it takes on one connection; more come by another, instead of waiting.
        EnableMultipleHttp2Connections = true,
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        ConnectTimeout = Timeout.InfiniteTimeSpan,
        ConnectCallback = async (context, cancellationToken) =>
            new ReplicaStream(ClientLine.Parse(context.DnsEndPoint.Host) is { } client
                ? await ConnectForAsync(client, replica, connectTimeout, time, cancellationToken)
                : await ConnectAsync(context.DnsEndPoint, connectTimeout, time, cancellationToken)),
    };

    private static async Task<Socket> ConnectForAsync(
        ClientLine client, EndpointId replica, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var socket = await ConnectAsync(new DnsEndPoint(replica.Address, replica.Port), timeout, time, cancellationToken);
        try
        {
            // It fits into any new connection's buffer.
            await socket.SendAsync(client.ToHeader(), cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <exception cref="SocketException">
    /// No connection; <see cref="SocketError.TimedOut"/> when there was no answer in time, and by <see cref="OwnShortage"/> when it would be too many.
    /// </exception>
    public static async Task<Socket> ConnectAsync(
        DnsEndPoint endpoint, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        try
        {
            return await TryConnectAsync(endpoint, timeout, time, cancellationToken);
        }
        catch (SocketException late) when (late.SocketErrorCode == SocketError.TimedOut && time.GetElapsedTime(began) > 2 * timeout)
        {
            // A process that slept (or its machine did) wakes to a time that is over, and has waited for nobody: the answer may lie here.
            return await TryConnectAsync(endpoint, timeout, time, cancellationToken);
        }
    }

    private static async Task<Socket> TryConnectAsync(
        DnsEndPoint endpoint, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!OpenFiles.OfThisProcess.TryBegin(MostOpen))
        {
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        }

        using var late = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var address = IPAddress.TryParse(endpoint.Host, out var parsed) ? parsed : null;
        var socket = address is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp)
            : new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            await (address is null
                ? socket.ConnectAsync(endpoint, either.Token)
                : socket.ConnectAsync(new IPEndPoint(address, endpoint.Port), either.Token));
            return socket;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();

            // The handler has a time limit of its own, but tells it by an exception that reads like a cancelled request.
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
