using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Proxy.Tls;

namespace Orchestrator.Proxy.Listening;

/// <summary>When connections of a listener may be TLS, and when they must.</summary>
internal enum TlsUse
{
    /// <summary>TLS and plain on one port, as each client begins: an app's own port, once its route has <c>tls</c>.</summary>
    AsRouted,

    /// <summary>The shared TLS listener.</summary>
    Always,

    /// <summary>The shared plain listener.</summary>
    Never,
}

/// <summary>
/// The first that looks at a listener's connections: those of a port that is an app's for TCP are passed on as they are; what is TLS is taken out of it, HTTP/2 by prior knowledge goes its own way, and all else is
/// HTTP/1.1.
/// </summary>
/// <param name="port">As in the routes.</param>
internal sealed class ConnectionFront(int port, TlsUse use, TlsDirectory directory, Routes routes, TcpForwarder tcp, TimeProvider time)
{
    /// <summary>Until the first byte: as long as Kestrel waits for one on a connection that is kept alive.</summary>
    private static readonly TimeSpan OpeningTimeout = TimeSpan.FromSeconds(130);

    private const string PlainOnTlsText = "400 HttpsOnly: this port is for https, not for plain HTTP\n";

    private static readonly byte[] PlainOnTls = Encoding.ASCII.GetBytes(
        $"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {PlainOnTlsText.Length}\r\nConnection: close\r\n\r\n{PlainOnTlsText}");

    private readonly TlsHandshake _handshake = new(port, directory, time);

    /// <param name="http1">Also for what comes out of TLS: Kestrel goes by what was agreed on there.</param>
    /// <param name="http2">For HTTP/2 without TLS.</param>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate http1, ConnectionDelegate http2)
    {
        if (use == TlsUse.AsRouted && routes.Table.FindTcp(port) is { } app)
        {
            // Not looked at: in many protocols the client waits for the server's first word.
            await tcp.ServeAsync(connection, app, port);
            return;
        }

        switch (await PeekAsync(connection))
        {
            case ConnectionOpening.Tls when use == TlsUse.Always || (use == TlsUse.AsRouted && directory.Table.HasTls(port)):
                await _handshake.ServeAsync(connection, http1);
                break;
            case not null when use == TlsUse.Always:
                await connection.Transport.Output.WriteAsync(PlainOnTls);
                break;
            case ConnectionOpening.Http2:
                await http2(connection);
                break;
            case not null:
                await http1(connection);
                break;
            case null:
                break;
        }
    }

    /// <returns>Null: the client has said nothing until it went away, or the listener closes.</returns>
    private async ValueTask<ConnectionOpening?> PeekAsync(ConnectionContext connection)
    {
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var late = new CancellationTokenSource(OpeningTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, closing, connection.ConnectionClosed);
        try
        {
            return await ConnectionOpenings.PeekAsync(connection.Transport.Input, either.Token);
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            return null;
        }
    }
}
