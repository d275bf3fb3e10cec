using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Orchestrator.Proxy.Listening;

/// <summary>
/// A port that is listened on: a Kestrel server of its own, bare of host and middleware, so that it comes and goes without
/// touching the connections of any other. Costs a thread that sleeps.
/// </summary>
internal sealed class Listener : IAsyncDisposable
{
    private readonly KestrelServer _server;
    private readonly Func<CancellationToken, Task> _closeLane;
    private readonly IAsyncDisposable? _lane;

    private Listener(KestrelServer server, IPEndPoint address, Func<CancellationToken, Task> closeLane, IAsyncDisposable? lane) =>
        (_server, Address, _closeLane, _lane) = (server, address, closeLane, lane);

    /// <summary>As bound; has the real port where 0 was asked for.</summary>
    public IPEndPoint Address { get; }

    /// <param name="address">IPv6Any is both families; IPv4 alone on a machine without IPv6.</param>
    /// <param name="handedOver">Listens there already; null: no socket does.</param>
    /// <param name="takeOver">As of <see cref="ListenSocket.Bind"/>.</param>
    /// <param name="front">Looks at each connection first; null: all are plain HTTP/1.1.</param>
    /// <param name="proxyProtocol">What connections begin with before all else; null: nothing.</param>
    /// <param name="room">Null: any number of connections is taken.</param>
    /// <param name="limits">What it takes of its clients.</param>
    /// <exception cref="IOException">The port cannot be had; the message says why.</exception>
    public static async Task<Listener> OpenAsync<TContext>(
        IPEndPoint address,
        IHttpApplication<TContext> application,
        Socket? handedOver,
        bool takeOver,
        ConnectionFront? front,
        ProxyProtocol? proxyProtocol,
        ConnectionRoom? room,
        ListenerLimits limits,
        CancellationToken cancellationToken)
        where TContext : notnull
    {
        if (address.Address.Equals(IPAddress.IPv6Any) && !Socket.OSSupportsIPv6)
        {
            address = new IPEndPoint(IPAddress.Any, address.Port);
        }

        ListenOptions? listening = null;
        var options = new KestrelServerOptions { AddServerHeader = false };
        limits.Apply(options.Limits);

        // Fields go on byte for byte, in whatever encoding a replica has them (RFC 9110, 5.5); it was read so too.
        options.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
        var lane = front is null ? null : new Http2Lane<TContext>(application, limits.Apply);
        options.Listen(address, listen =>
        {
            // HTTP/2 where a handshake has agreed on it.
            listen.Protocols = front is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            _ = proxyProtocol is null ? null : listen.Use(proxyProtocol.Before);
            if (front is not null)
            {
                listen.Use(next => connection => front.ServeAsync(connection, next, lane!.ServeAsync));
            }

            listening = listen;
        });

        // Completions run where the socket was polled (with DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1): nothing here blocks.
        var inline = Environment.GetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS") == "1";
        var transport = new SocketTransportOptions
        {
            CreateBoundListenSocket = endpoint => ListenSocket.Bind(endpoint, takeOver),
            UnsafePreferInlineScheduling = inline,
        };

        // Kestrel's own logs are about single connections of clients.
        var sockets = handedOver is null ? new SocketTransportFactory(Options.Create(transport), NullLoggerFactory.Instance)
            : HandedOverSocket.Factory(handedOver, inline);
        var server = new KestrelServer(Options.Create(options), room?.Before(sockets) ?? sockets, NullLoggerFactory.Instance);
        try
        {
            await server.StartAsync(application, cancellationToken);
        }
        catch (Exception failure)
        {
            server.Dispose();
            if (failure is SocketException or IOException)
            {
                throw new IOException($"cannot listen on {address}: {failure.GetBaseException().Message}", failure);
            }

            throw;
        }

        return new Listener(server, listening?.IPEndPoint ?? address, lane is null ? _ => Task.CompletedTask : lane.CloseAsync, lane);
    }

    /// <summary>
    /// Takes no new connection, closes idle ones, lets the requests in flight finish and tells their clients not to send more on
    /// the connection. When the token is cancelled, what is left is aborted.
    /// </summary>
    public async Task CloseAsync(CancellationToken abort)
    {
        await _server.StopAsync(abort);
        await _closeLane(abort);
    }

    public async ValueTask DisposeAsync()
    {
        _server.Dispose();
        if (_lane is not null)
        {
            await _lane.DisposeAsync();
        }
    }
}
