using System.IO.Pipelines;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Orchestrator.Proxy.Listening;

/// <summary>
/// HTTP/2 without TLS beside HTTP/1.1 on one port: Kestrel would have it on a port of its own. So a second server, which listens
/// nowhere and is handed its connections. It begins with the first of them: it costs a thread that sleeps.
/// </summary>
internal sealed class Http2Lane<TContext>(IHttpApplication<TContext> application, Action<KestrelServerLimits> limit) : IAsyncDisposable
    where TContext : notnull
{
    private readonly Lock _gate = new();
    private readonly HandedConnections _connections = new();
    private KestrelServer? _server;
    private Task? _started;

    /// <summary>Until the connection has ended.</summary>
    public async Task ServeAsync(ConnectionContext connection)
    {
        await StartAsync();
        await using var handed = new HandedConnection(connection);

        // When the listener closes, its connections are told: so is ours, in its server's name.
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        await using var told = closing.UnsafeRegister(static state => ((HandedConnection)state!).RequestClose(), handed);
        if (_connections.Hand(handed))
        {
            await handed.Ended;
        }
    }

    /// <summary>To be called when all of its connections have ended.</summary>
    public async Task CloseAsync(CancellationToken abort)
    {
        KestrelServer? server;
        lock (_gate)
        {
            server = _server;
            _connections.Close();
        }

        if (server is not null)
        {
            await server.StopAsync(abort);
        }
    }

    public ValueTask DisposeAsync()
    {
        _server?.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task StartAsync()
    {
        lock (_gate)
        {
            if (_started is null)
            {
                var options = new KestrelServerOptions { AddServerHeader = false };
                limit(options.Limits);
                options.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
                options.Listen(IPAddress.Loopback, 1, listen => listen.Protocols = HttpProtocols.Http2);
                _server = new KestrelServer(Options.Create(options), _connections, NullLoggerFactory.Instance);
                _started = _server.StartAsync(application, CancellationToken.None);
            }

            return _started;
        }
    }

    /// <summary>A transport that has no socket: connections that another server has accepted.</summary>
    private sealed class HandedConnections : IConnectionListenerFactory, IConnectionListener
    {
        // Bounded by the connections that the listener has: each hands itself once.
        private readonly Channel<ConnectionContext> _waiting = Channel.CreateUnbounded<ConnectionContext>();

        public EndPoint EndPoint { get; private set; } = new IPEndPoint(IPAddress.Loopback, 1);

        /// <returns>False: it is closed.</returns>
        public bool Hand(ConnectionContext connection) => _waiting.Writer.TryWrite(connection);

        public void Close() => _waiting.Writer.TryComplete();

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            EndPoint = endpoint;
            return ValueTask.FromResult<IConnectionListener>(this);
        }

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await _waiting.Reader.WaitToReadAsync(cancellationToken) && _waiting.Reader.TryRead(out var connection) ? connection : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            Close();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            Close();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>The same connection, with features of its own: each of the two servers keeps its own there.</summary>
    private sealed class HandedConnection(ConnectionContext connection) : ConnectionContext
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes when the server has done with it.</summary>
        public Task Ended => _ended.Task;

        public override string ConnectionId { get; set; } = connection.ConnectionId;

        public override IFeatureCollection Features { get; } = new FeatureCollection(connection.Features);

        public override IDictionary<object, object?> Items { get; set; } = connection.Items;

        public override IDuplexPipe Transport { get; set; } = connection.Transport;

        public override EndPoint? LocalEndPoint { get; set; } = connection.LocalEndPoint;

        public override EndPoint? RemoteEndPoint { get; set; } = connection.RemoteEndPoint;

        public override CancellationToken ConnectionClosed { get; set; } = connection.ConnectionClosed;

        /// <summary>Its requests in flight are finished, and no others begun.</summary>
        public void RequestClose()
        {
            var notification = Features.Get<IConnectionLifetimeNotificationFeature>();
            if (ReferenceEquals(notification, connection.Features.Get<IConnectionLifetimeNotificationFeature>()))
            {
                // Its server has not taken it up yet: nothing was asked for.
                connection.Abort(new ConnectionAbortedException("the listener closes"));
            }
            else
            {
                notification!.RequestClose();
            }
        }

        public override void Abort(ConnectionAbortedException abortReason) => connection.Abort(abortReason);

        public override ValueTask DisposeAsync()
        {
            _ended.TrySetResult();
            return base.DisposeAsync();
        }
    }
}
