using System.Text;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Policies;

namespace Orchestrator.Proxy.Routing;

/// <summary>What makes an endpoint itself: another container, or the same one at another place, is another endpoint.</summary>
/// <param name="Uid">Uid of the Replica.</param>
/// <param name="Address">An IP address or a name; IPv6 without brackets.</param>
/// <param name="Revision">Of the Replica; null if the routes are from a time when proxies did not know.</param>
/// <param name="Zone">Of its host; null if that names none.</param>
internal readonly record struct EndpointId(string Uid, string Address, int Port, string? Revision = null, string? Zone = null)
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
    private volatile AvoidReasons _avoided;
    private volatile string? _stickyValue;

    public EndpointId Id { get; } = id;

    /// <summary>Shared by all endpoints of its address.</summary>
    public ReplicaHost Host { get; init; } = new(id.Address, TimeProvider.System);

    /// <summary>Null: nobody asks.</summary>
    public ReplicaMetrics? Metrics { get; init; }

    /// <summary>Scheme and authority, as a prefix of request URLs.</summary>
    public string Prefix => field ??= $"http://{Authority}";

    public string Authority { get; } =
        id.Address.Contains(':', StringComparison.Ordinal) ? $"[{id.Address}]:{id.Port}" : $"{id.Address}:{id.Port}";

    /// <summary>Requests on their way through it: WebSockets and streams count until they end.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>No table has it any more; it takes no new request.</summary>
    public bool IsRetired => _retired;

    /// <summary>Chosen only if there is nothing better (<see cref="AppState"/>, which alone sets it).</summary>
    public bool IsSuspect => _avoided != AvoidReasons.None;

    /// <summary>Why it is avoided.</summary>
    public AvoidReasons Avoided
    {
        get => _avoided;
        set => _avoided = value;
    }

    public Conduct Conduct { get; } = new();

    /// <summary>How it does as an outlier; written by the one that looks at outliers.</summary>
    public Ejection Ejection { get; } = new();

    /// <summary>Timestamp from which on it is new; null: it was there when the app's route was first known.</summary>
    public long? AddedAt { get; init; }

    /// <summary>What it is told apart by for keys of requests.</summary>
    public ulong Hash { get; } = StableHash.Of(Encoding.UTF8.GetBytes(id.Uid));

    /// <summary>
    /// Its kept connections, its own alone; null before its first request. Closed once it has drained: many servers wait for the
    /// connections they have before they end, so what the proxy kept would hold up a replica's stop for all of its grace period.
    /// </summary>
    public HttpMessageInvoker? Connections => Volatile.Read(ref _connections);

    /// <summary>Called once, by whichever thread ends the last request of a retired endpoint; must not block.</summary>
    public Action<ReplicaEndpoint>? OnDrained { get; init; }

    /// <summary>What <see cref="StickyCookie"/> knows it by.</summary>
    public string StickyValue(string appUid) => _stickyValue ??= StickyCookie.ValueOf(appUid, Id.Uid);

    /// <summary>Counts a request in. False: it was retired, or filled, between being chosen and now; choose again.</summary>
    /// <param name="most">Requests it may have.</param>
    public bool TryEnter(int most = int.MaxValue)
    {
        // Count first, then look: whoever retires does it the other way round, so that one of the two sees the other.
        if (most == int.MaxValue)
        {
            Interlocked.Increment(ref _inFlight);
        }
        else if (!TryCountIn(most))
        {
            return false;
        }

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

    private bool TryCountIn(int most)
    {
        var seen = InFlight;
        while (seen < most)
        {
            var before = Interlocked.CompareExchange(ref _inFlight, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    private void CloseConnections() => Interlocked.Exchange(ref _connections, null)?.Dispose();
}
