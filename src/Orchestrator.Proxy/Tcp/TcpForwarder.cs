using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tls;

namespace Orchestrator.Proxy.Tcp;

/// <summary>Serves the connections of apps whose route is TCP: each goes to one replica and stays there.</summary>
internal sealed class TcpForwarder(ProxyOptions options, Suspects suspects, TlsDirectory certificates, TlsGate gate, AccessLog? accessLog, TimeProvider time)
{
    private readonly TcpConnector _connector = new(options.ConnectTimeout, suspects, time);

    /// <summary>Until the connection has ended.</summary>
    /// <param name="port">As in the routes.</param>
    public async Task ServeAsync(ConnectionContext connection, AppState app, int port)
    {
        var served = new Served(time.GetTimestamp());
        var metrics = app.Tcp;
        metrics.Open.Inc();
        try
        {
            served.End = await LimitedAsync(connection, app, port, served);
        }
        finally
        {
            metrics.Open.Dec();
            metrics.Ended(served.End).Inc();
            accessLog?.Write(connection, app, port, served);
        }

        if (served.End != TcpEnd.Closed)
        {
            // By a reset: an end would pass for an answer of nothing.
            connection.Abort(new ConnectionAbortedException($"the connection is refused: {served.End}"));
        }
    }

    private async ValueTask<TcpEnd> LimitedAsync(ConnectionContext connection, AppState app, int port, Served served)
    {
        if (app.Policy.Rate is { } rate && !rate.TryTake((connection.RemoteEndPoint as IPEndPoint)?.Address))
        {
            app.Metrics.Refused(AppMetrics.RateLimit).Inc();
            return TcpEnd.RateLimited;
        }

        app.Traffic.Begin();
        var end = TcpEnd.ClientReset;
        try
        {
            end = await ServeAsync(connection, app, port, served);
        }
        finally
        {
            app.Traffic.End(TcpEnds.StatusOf(end), took: null);
        }

        if (end == TcpEnd.Busy)
        {
            app.Metrics.Refused(AppMetrics.BusyLimit).Inc();
        }

        return end;
    }

    private async ValueTask<TcpEnd> ServeAsync(ConnectionContext connection, AppState app, int port, Served served)
    {
        if (await OpenAsync(connection, app, port) is not { } client)
        {
            return TcpEnd.TlsRefused;
        }

        await using var closing = client;
        var (replica, endpoint, canary, failure) = await _connector.ConnectAsync(connection, app, served.Started);
        served.Endpoint = endpoint;
        if (replica is null)
        {
            return failure;
        }

        var end = TcpEnd.ReplicaReset;
        try
        {
            var relay = served.Relay = new TcpRelay(
                connection, client, replica, endpoint!.Host, app.Tcp, app.Policy.IdleTimeout ?? options.IdleTimeout, time);
            end = await relay.RunAsync();
        }
        finally
        {
            endpoint!.Leave();
            app.Waiting.Release();
            endpoint.Metrics?.Count(TcpEnds.StatusOf(end));
            canary?.Count(endpoint, TcpEnds.StatusOf(end), latency: null);
        }

        return end;
    }

    /// <returns>Null: the client has not come as the app's TLS asks.</returns>
    private async ValueTask<IClientSide?> OpenAsync(ConnectionContext connection, AppState app, int port)
    {
        if (app.Tls is null)
        {
            return new PlainSide(connection);
        }

        var tls = new TlsConnection();
        var stream = new SslStream(new DuplexPipeStream(connection.Transport));
        if (await new TlsHandshake(port, certificates, time).AuthenticateAsync(stream, tls, TlsProtocols.Any, connection.ConnectionClosed)
            && gate.Admits(app, tls))
        {
            return new TlsSide(stream, connection.Features.Get<IMemoryPoolFeature>()?.MemoryPool);
        }

        await stream.DisposeAsync();
        return null;
    }

    /// <summary>What is to be told of a connection when it has ended.</summary>
    /// <param name="Started">Timestamp.</param>
    internal sealed record Served(long Started)
    {
        public ReplicaEndpoint? Endpoint { get; set; }

        public TcpRelay? Relay { get; set; }

        public TcpEnd End { get; set; } = TcpEnd.ClientReset;
    }
}
