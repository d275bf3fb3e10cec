using System.Collections.Immutable;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// The machine of endpoints, known by the address they share: what this proxy has heard of it, and what ends the requests that
/// wait for it when it is silent. Thread-safe.
/// </summary>
internal sealed class ReplicaHost(string address, TimeProvider time)
{
    /// <summary>
    /// From a silence until what has lost something by it is ended too: a cable that is put back, or packets that are lost for a moment,
    /// break no download and no form. As long as replicas are waited for by default.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private ImmutableList<ReplicaEndpoint> _endpoints = [];
    private volatile Ends _ends = new(new(), new());
    private volatile ITimer? _patience;
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

    /// <summary>Cancelled when the host falls silent: for what loses nothing by being given up, since another replica can be asked instead.</summary>
    public CancellationToken Soon => _ends.Soon.Token;

    /// <summary>Cancelled when it has been silent for <see cref="Patience"/>: for all else.</summary>
    public CancellationToken Later => _ends.Later.Token;

    /// <summary>By one thread at a time.</summary>
    public void Add(ReplicaEndpoint endpoint) => Volatile.Write(ref _endpoints, _endpoints.Add(endpoint));

    /// <inheritdoc cref="Add"/>
    public void Remove(ReplicaEndpoint endpoint) => Volatile.Write(ref _endpoints, _endpoints.Remove(endpoint));

    /// <summary>A request is being sent.</summary>
    public void Use() => Volatile.Write(ref _usedAt, time.GetTimestamp());

    public void Hear()
    {
        Volatile.Write(ref _heardAt, time.GetTimestamp());
        Volatile.Write(ref _missed, 0);
        if (_patience is not null)
        {
            lock (_gate)
            {
                _patience?.Dispose();
                _patience = null;
            }
        }
    }

    /// <summary>It was asked at a time since when nothing was heard of it, and has not answered.</summary>
    /// <returns><see cref="Missed"/> with this time.</returns>
    public int Miss() => Interlocked.Increment(ref _missed);

    /// <summary>It is silent.</summary>
    public void GiveUp()
    {
        CancellationTokenSource soon;
        lock (_gate)
        {
            (soon, _ends) = (_ends.Soon, new(new(), _ends.Later));
            _patience ??= time.CreateTimer(static host => ((ReplicaHost)host!).LosePatience(), this, Patience, Timeout.InfiniteTimeSpan);
        }

        soon.Cancel();
    }

    private void LosePatience()
    {
        CancellationTokenSource later;
        lock (_gate)
        {
            if (_patience is null)
            {
                return;
            }

            _patience.Dispose();
            _patience = null;
            (later, _ends) = (_ends.Later, new(_ends.Soon, new()));
        }

        later.Cancel();
    }

    private sealed class Ends(CancellationTokenSource soon, CancellationTokenSource later)
    {
        public CancellationTokenSource Soon => soon;

        public CancellationTokenSource Later => later;
    }
}
