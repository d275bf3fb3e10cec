using System.Net;
using System.Net.Sockets;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Plain;

/// <summary>
/// The connections to one replica: those that wait for a request, last used first, and those that have one. Thread-safe.
/// </summary>
internal sealed class KeptConnections : IDisposable
{
    /// <summary>Between two looks for connections on which nothing happens.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(0.5);

    private readonly Lock _gate = new();
    private readonly EndpointId _replica;
    private readonly ReplicaHost _host;
    private readonly TimeSpan _connectTimeout;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly List<ReplicaConnection> _all = [];

    /// <summary>The one used last is the last.</summary>
    private readonly List<ReplicaConnection> _kept = [];
    private CancellationTokenRegistration _soon;
    private CancellationTokenRegistration _later;
    private volatile bool _closed;

    public KeptConnections(EndpointId replica, ReplicaHost host, TimeSpan connectTimeout, TimeProvider time)
    {
        (_replica, _host, _connectTimeout, _time) = (replica, host, connectTimeout, time);
        _timer = time.CreateTimer(static pool => ((KeptConnections)pool!).EndIdle(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        WatchSoon();
        WatchLater();
    }

    /// <summary>One that has served before; null: there is none that is still good.</summary>
    public ReplicaConnection? Take()
    {
        while (true)
        {
            ReplicaConnection connection;
            lock (_gate)
            {
                if (_kept.Count == 0)
                {
                    return null;
                }

                connection = _kept[^1];
                _kept.RemoveAt(_kept.Count - 1);
                connection.IsKept = false;
            }

            if (_time.GetElapsedTime(connection.Seen.Since) < ReplicaConnections.IdleTimeout && connection.Begin())
            {
                return connection;
            }

            Drop(connection);
        }
    }

    /// <exception cref="SocketException">No connection; <see cref="SocketError.TimedOut"/> when there was no answer in time.</exception>
    /// <exception cref="OperationCanceledException"/>
    public async ValueTask<ReplicaConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new ReplicaConnection(
            await ReplicaConnections.ConnectAsync(new DnsEndPoint(_replica.Address, _replica.Port), _connectTimeout, _time, cancellationToken));
        connection.Seen = (0, _time.GetTimestamp());
        lock (_gate)
        {
            connection.Index = _all.Count;
            _all.Add(connection);
            if (_all.Count == 1)
            {
                _timer.Change(Period, Period);
            }
        }

        // Whatever it says unasked is found out when its answer is read.
        connection.Begin();
        return connection;
    }

    /// <summary>Its request has been answered: it waits for the next one, unless its time is over.</summary>
    public void Keep(ReplicaConnection connection)
    {
        connection.HasServed = true;
        connection.Seen = (connection.Activity, _time.GetTimestamp());
        lock (_gate)
        {
            if (!_closed && connection.GivenUp == GivenUp.Not)
            {
                (connection.IsKept, connection.MayRepeat) = (true, false);
                _kept.Add(connection);
                return;
            }
        }

        Drop(connection);
    }

    /// <summary>Closes it. By whoever has it, once.</summary>
    public void Drop(ReplicaConnection connection)
    {
        lock (_gate)
        {
            var last = _all[^1];
            (_all[connection.Index], last.Index) = (last, connection.Index);
            _all.RemoveAt(_all.Count - 1);
            if (_all.Count == 0)
            {
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        connection.Dispose();
    }

    /// <summary>Closes those that wait; the others as their requests end.</summary>
    public void Dispose()
    {
        ReplicaConnection[] kept;
        lock (_gate)
        {
            _closed = true;
            kept = [.. _kept];
            _kept.Clear();
        }

        _soon.Dispose();
        _later.Dispose();
        Array.ForEach(kept, Drop);
        _timer.Dispose();
    }

    private void WatchSoon() => _soon = _host.Soon.UnsafeRegister(
        static pool =>
        {
            ((KeptConnections)pool!).EndWhere(static connection => connection.MayRepeat && !connection.HasAnswered);
            if (!((KeptConnections)pool)._closed)
            {
                ((KeptConnections)pool).WatchSoon();
            }
        },
        this);

    private void WatchLater() => _later = _host.Later.UnsafeRegister(
        static pool =>
        {
            ((KeptConnections)pool!).EndWhere(static _ => true);
            if (!((KeptConnections)pool)._closed)
            {
                ((KeptConnections)pool).WatchLater();
            }
        },
        this);

    private void EndWhere(Predicate<ReplicaConnection> which)
    {
        ReplicaConnection[] ended;
        lock (_gate)
        {
            ended = [.. _all.Where(connection => !connection.IsKept && which(connection) && connection.TryGiveUp(GivenUp.ByCaller))];
        }

        Array.ForEach(ended, static connection => connection.End());
    }

    private void EndIdle()
    {
        List<ReplicaConnection> ended = [];
        ReplicaConnection[] old;
        lock (_gate)
        {
            var count = _kept.FindIndex(connection => _time.GetElapsedTime(connection.Seen.Since) < ReplicaConnections.IdleTimeout);
            old = [.. _kept.Take(count < 0 ? _kept.Count : count)];
            _kept.RemoveRange(0, old.Length);
            foreach (var connection in _all)
            {
                if (connection.IsKept)
                {
                    continue;
                }

                if (connection.Activity is var activity && activity != connection.Seen.Activity)
                {
                    connection.Seen = (activity, _time.GetTimestamp());
                }
                else if (_time.GetElapsedTime(connection.Seen.Since) >= connection.IdleLimit && connection.TryGiveUp(GivenUp.Idle))
                {
                    ended.Add(connection);
                }
            }
        }

        Array.ForEach(old, Drop);
        ended.ForEach(static connection => connection.End());
    }
}
