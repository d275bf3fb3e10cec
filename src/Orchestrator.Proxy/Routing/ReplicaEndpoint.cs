using Orchestrator.Proxy.Forwarding;

namespace Orchestrator.Proxy.Routing;

/// <summary>What makes an endpoint itself: another container, or the same one at another place, is another endpoint.</summary>
/// <param name="Uid">Uid of the Replica.</param>
/// <param name="Address">An IP address or a name; IPv6 without brackets.</param>
/// <param name="Revision">Of the Replica; null if the routes are from a time when proxies did not know.</param>
internal readonly record struct EndpointId(string Uid, string Address, int Port, string? Revision = null)
{
    public override string ToString() => $"{Uid} at {Address}:{Port}";
}

/// <summary>
/// One replica that requests are sent to, with what this proxy knows of it. The same object lives on in every table for as long
/// as the replica serves, and after that until its last request has ended. Thread-safe.
/// </summary>
internal sealed class ReplicaEndpoint(EndpointId id)
{
    private int _inFlight;
    private HttpMessageInvoker? _connections;
    private volatile bool _retired;
    private volatile bool _suspect;

    public EndpointId Id { get; } = id;

    /// <summary>Shared by all endpoints of its address.</summary>
    public ReplicaHost Host { get; init; } = new(id.Address, TimeProvider.System);

    /// <summary>Null: nobody asks.</summary>
    public ReplicaMetrics? Metrics { get; init; }

    /// <summary>Scheme and authority, as a prefix of request URLs.</summary>
    public string Prefix { get; } =
        id.Address.Contains(':', StringComparison.Ordinal) ? $"http://[{id.Address}]:{id.Port}" : $"http://{id.Address}:{id.Port}";

    /// <summary>Requests on their way through it: WebSockets and streams count until they end.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>No table has it any more; it takes no new request.</summary>
    public bool IsRetired => _retired;

    /// <summary>It did not take a connection: chosen only if there is nothing better (<see cref="AppState"/>).</summary>
    public bool IsSuspect
    {
        get => _suspect;
        set => _suspect = value;
    }

    /// <summary>
    /// Its kept connections, its own alone; null before its first request. Closed once it has drained: many servers wait for the
    /// connections they have before they end, so what the proxy kept would hold up a replica's stop for all of its grace period.
    /// </summary>
    public HttpMessageInvoker? Connections => Volatile.Read(ref _connections);

    /// <summary>Called once, by whichever thread ends the last request of a retired endpoint; must not block.</summary>
    public Action<ReplicaEndpoint>? OnDrained { get; init; }

    /// <summary>Counts a request in. False: it was retired between being chosen and now; choose again.</summary>
    public bool TryEnter()
    {
        // Count first, then look: whoever retires does it the other way round, so that one of the two sees the other.
        Interlocked.Increment(ref _inFlight);
        if (!_retired)
        {
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>Gives it connections if it has none. To be called by a request that is counted in.</summary>
    /// <returns>Those it has; the others are disposed.</returns>
    public HttpMessageInvoker Keep(HttpMessageInvoker connections)
    {
        if (Interlocked.CompareExchange(ref _connections, connections, null) is not { } known)
        {
            return connections;
        }

        connections.Dispose();
        return known;
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _inFlight) == 0 && _retired)
        {
            CloseConnections();
            OnDrained?.Invoke(this);
        }
    }

    /// <summary>After this no request enters; the ones in flight go on. Take it out of the table first.</summary>
    /// <returns>True when nothing is in flight.</returns>
    public bool Retire()
    {
        _retired = true;
        Interlocked.MemoryBarrier();
        if (InFlight > 0)
        {
            return false;
        }

        CloseConnections();
        return true;
    }

    public override string ToString() => Id.ToString();

    private void CloseConnections() => Interlocked.Exchange(ref _connections, null)?.Dispose();
}
