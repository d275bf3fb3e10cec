using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime.Connections;
using Prometheus;

namespace Orchestrator.Proxy.Health;

/// <summary>
/// Finds out within about a second that a host has gone silent: cut off, or without power, it refuses nothing, and requests would
/// wait for it. Only hosts that requests are sent to are asked, and only when nothing else was heard of them. A slow answer is no
/// silence: any answer of the host's kernel, a refusal too, is a sign of life.
/// </summary>
internal sealed partial class HostChecks(
    Routes routes, Suspects suspects, ILogger<HostChecks> logger, TimeProvider time)
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(300);

    /// <summary>Of one connection. On a network where answers take longer, nobody would keep a web server's replicas.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(500);

    /// <summary>Connections in a row that got no answer: one lost packet is no silence.</summary>
    private const int Misses = 2;

    /// <summary>Other hosts that are asked at a time when one is missed.</summary>
    private const int Witnesses = 3;

    /// <summary>A host without requests is not asked: the first one finds out, and is sent elsewhere.</summary>
    private static readonly TimeSpan InUse = TimeSpan.FromSeconds(10);

    private static readonly Counter Silences = Metrics.CreateCounter(
        "orchestrator_proxy_host_silences_total", "Times that a host went silent while requests were sent to it.");

    private int _turn;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        var checks = new HashSet<Task>();
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            checks.RemoveWhere(static check => check.IsCompleted);
            foreach (var host in ToBeAsked(routes.Hosts))
            {
                checks.Add(AskAsync(host, cancellationToken));
            }
        }

        await Task.WhenAll(checks);
    }

    internal List<ReplicaHost> ToBeAsked(IReadOnlyList<ReplicaHost> hosts)
    {
        var asked = hosts.Where(host => IsInUse(host) && !IsWithin(host.HeardAt, Period)).ToList();
        if (asked.Exists(static host => host.Missed > 0))
        {
            // Others are asked whether they answer us, some each time, used or not.
            var first = (_turn & int.MaxValue) % hosts.Count;
            asked.AddRange(hosts.Skip(first).Concat(hosts.Take(first)).Except(asked).Where(host => !IsWithin(host.HeardAt, Period)).Take(Witnesses).ToList());
        }

        return asked;
    }

    private bool IsInUse(ReplicaHost host) =>
        IsWithin(host.UsedAt, InUse) || host.Endpoints.Exists(static endpoint => endpoint.InFlight > 0);

    private bool IsWithin(long timestamp, TimeSpan span) => timestamp != 0 && time.GetElapsedTime(timestamp) < span;

    /// <summary>Tries a connection to one of its endpoints, another one each time.</summary>
    internal async Task AskAsync(ReplicaHost host, CancellationToken cancellationToken)
    {
        if (host.Endpoints is not { Count: > 0 } endpoints)
        {
            return;
        }

        var endpoint = endpoints[(Interlocked.Increment(ref _turn) & int.MaxValue) % endpoints.Count].Id;
        var began = time.GetTimestamp();
        try
        {
            // It sees to it that a process that slept takes no time-out of its own for silence.
            using var socket = await ReplicaConnections.ConnectAsync(new DnsEndPoint(endpoint.Address, endpoint.Port), Timeout, time, cancellationToken);
            host.Hear();
        }
        catch (SocketException failure) when (OwnShortage.Explains(failure))
        {
            // Neither heard nor missed.
        }
        catch (SocketException failure) when (!IsSilence(failure.SocketErrorCode))
        {
            host.Hear();
        }
        catch (SocketException failure)
        {
            Miss(host, began, failure);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The proxy stops.
        }
    }

    private static bool IsSilence(SocketError error) =>
        error is SocketError.TimedOut or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.NetworkDown;

    private void Miss(ReplicaHost host, long began, SocketException failure)
    {
        if (host.HeardAt <= began && host.Miss() >= Misses && OthersAnswer(host))
        {
            GiveUp(host, failure);
        }
    }

    // When nobody answers it is rather we who are cut off, and there is nowhere else to send anything.
    private bool OthersAnswer(ReplicaHost host) => routes.Hosts.Any(other => other != host && IsWithin(other.HeardAt, 2 * Timeout));

    private void GiveUp(ReplicaHost host, SocketException failure)
    {
        var waiting = host.Endpoints.Sum(static endpoint => endpoint.InFlight);
        var news = false;
        foreach (var app in routes.Table.Apps)
        {
            foreach (var endpoint in app.Endpoints)
            {
                if (endpoint.Host == host)
                {
                    news |= suspects.Add(app, endpoint, failure);
                }
            }
        }

        host.GiveUp();
        if (news)
        {
            Silences.Inc();
            Log.Silent(logger, host.Address, waiting);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Host {Host} is silent: its replicas are avoided; {Requests} requests were on their way")]
        public static partial void Silent(ILogger logger, string host, int requests);
    }
}
