using System.Collections.Immutable;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// The machine of endpoints, known by the address they share: what this proxy has heard of it, and what ends the requests that
/// wait for it when it is silent. Thread-safe.
/// </summary>
internal sealed class ReplicaHost(string address)
{
    private volatile Waiting _waiting = new();
    private ImmutableList<ReplicaEndpoint> _endpoints = [];
    private long _usedAt;
    private long _heardAt;
    private int _missed;

    public string Address { get; } = address;

    /// <summary>Those that requests may be on their way to, retired ones among them. A snapshot.</summary>
    public ImmutableList<ReplicaEndpoint> Endpoints => Volatile.Read(ref _endpoints);

    /// <summary>Timestamp of the last request that was sent to it; 0 if none was.</summary>
    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>Timestamp of the last sign of life; 0 if there was none.</summary>
    public long HeardAt => Volatile.Read(ref _heardAt);

    /// <summary>How often in a row it was asked in vain.</summary>
    public int Missed => Volatile.Read(ref _missed);

    /// <summary>By one thread at a time.</summary>
    public void Add(ReplicaEndpoint endpoint) => Volatile.Write(ref _endpoints, _endpoints.Add(endpoint));

    /// <inheritdoc cref="Add"/>
    public void Remove(ReplicaEndpoint endpoint) => Volatile.Write(ref _endpoints, _endpoints.Remove(endpoint));

    /// <summary>A request is being sent.</summary>
    /// <param name="mayRepeat">It loses nothing by being given up: another replica is asked instead.</param>
    /// <returns>Cancelled when it is to be given up because the host is silent.</returns>
    public CancellationToken Use(long now, bool mayRepeat)
    {
        Volatile.Write(ref _usedAt, now);
        var waiting = _waiting;
        return mayRepeat ? waiting.Repeatable.Token : waiting.Others.Token;
    }

    public void Hear(long now)
    {
        Volatile.Write(ref _heardAt, now);
        Volatile.Write(ref _missed, 0);
    }

    /// <summary>It was asked at a time since when nothing was heard of it, and has not answered.</summary>
    /// <returns><see cref="Missed"/> with this time.</returns>
    public int Miss() => Interlocked.Increment(ref _missed);

    /// <summary>Ends what waits for it.</summary>
    /// <param name="later">
    /// When to end what may not be sent twice: once a connection that was never made has been told from one that was, since over the
    /// former nothing was sent.
    /// </param>
    public void GiveUp(TimeSpan later)
    {
        var waiting = Interlocked.Exchange(ref _waiting, new Waiting());
        waiting.Others.CancelAfter(later);
        waiting.Repeatable.Cancel();
    }

    private sealed class Waiting
    {
        public CancellationTokenSource Repeatable { get; } = new();

        public CancellationTokenSource Others { get; } = new();
    }
}
