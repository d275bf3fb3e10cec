using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tcp;

/// <summary>A connection to a replica, or why there is none.</summary>
/// <param name="Endpoint">The last that was tried; null if there was none. Where there is a socket, whoever has it must let go of both.</param>
/// <param name="Canary">As it was when the endpoint was chosen.</param>
internal readonly record struct TcpConnect(Socket? Socket, ReplicaEndpoint? Endpoint, CanaryCounts? Canary, TcpEnd Failure);

/// <summary>
/// Finds a replica that takes a client's connection. Nothing of the client's has been sent before there is one, so another may always be
/// tried, within the same bounds as for requests.
/// </summary>
internal sealed class TcpConnector(TimeSpan connectTimeout, Suspects suspects, TimeProvider time)
{
    /// <param name="started">Timestamp of the client's connection.</param>
    public async ValueTask<TcpConnect> ConnectAsync(ConnectionContext connection, AppState app, long started)
    {
        var client = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        app.Retries.CountRequest();
        List<ReplicaEndpoint>? tried = null;
        while (true)
        {
            var canary = app.Canary;
            var endpoint = app.Acquire(client, tried, out var busy);
            if (endpoint is null && busy)
            {
                (endpoint, busy) = await WaitAsync(connection, app, client, tried);
            }

            if (endpoint is null)
            {
                var held = tried is null && !busy ? await HoldAsync(connection, app, started) : HoldEnd.GivenUp;
                if (held == HoldEnd.Look)
                {
                    continue;
                }

                return new(null, tried?[^1], canary, held == HoldEnd.ClientGone ? TcpEnd.ClientReset
                    : busy ? TcpEnd.Busy
                    : tried is null ? TcpEnd.NoReadyReplica
                    : TcpEnd.ConnectFailed);
            }

            if (await TryConnectAsync(connection, app, endpoint) is { } socket)
            {
                return new(socket, endpoint, canary, default);
            }

            endpoint.Leave();
            app.Waiting.Release();
            endpoint.Metrics?.Count(StatusCodes.Status502BadGateway);
            canary?.Count(endpoint, StatusCodes.Status502BadGateway, latency: null);
            if (!FurtherTries.TryBegin(app, ref tried, endpoint))
            {
                return new(null, endpoint, canary, TcpEnd.ConnectFailed);
            }
        }
    }

    /// <returns>Null: none came about, and the endpoint is a suspect.</returns>
    private async ValueTask<Socket?> TryConnectAsync(ConnectionContext connection, AppState app, ReplicaEndpoint endpoint)
    {
        var host = endpoint.Host;
        host.Use();
        Socket? socket = null;
        try
        {
            socket = await ReplicaConnections.ConnectAsync(new DnsEndPoint(endpoint.Id.Address, endpoint.Id.Port), connectTimeout, time, host.Soon);
            if (app.Policy.Route.ProxyProtocol is { } version)
            {
                var (from, to) = (connection.RemoteEndPoint as IPEndPoint, connection.LocalEndPoint as IPEndPoint);
                await Sockets.SendAllAsync(socket, ClientLine.Of(version, from?.Address, from?.Port ?? 0, to?.Address, to?.Port ?? 0).ToHeader());
            }

            host.Hear();
            return socket;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            socket?.Dispose();
            suspects.Add(app, endpoint, failure);
            return null;
        }
    }

    /// <summary>Waits until an endpoint has room.</summary>
    private static async ValueTask<(ReplicaEndpoint? Endpoint, bool Busy)> WaitAsync(
        ConnectionContext connection, AppState app, IPAddress? client, List<ReplicaEndpoint>? tried)
    {
        var policy = app.Policy;
        await using var watch = new ClientWatch(connection);
        app.Metrics.Waiting.Inc();
        try
        {
            return await app.Waiting.WaitAsync(
                () => (app.Acquire(client, tried, out var busy), busy), policy.QueueLength, policy.QueueTime, watch.Gone);
        }
        catch (OperationCanceledException) when (watch.Gone.IsCancellationRequested)
        {
            return (null, true);
        }
        finally
        {
            app.Metrics.Waiting.Dec();
        }
    }

    /// <summary>Waits for a first endpoint, if the app is one that is scaled from zero.</summary>
    private static async ValueTask<HoldEnd> HoldAsync(ConnectionContext connection, AppState app, long started)
    {
        await using var watch = new ClientWatch(connection);
        return await app.HoldAsync(started, watch.Gone);
    }
}
