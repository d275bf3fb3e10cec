using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Policies;

/// <summary>
/// Where an app's requests wait, first come first served, while all its replicas have as many as they may. Bounded in number and time: what cannot be
/// served soon is better told so at once. Thread-safe.
/// </summary>
internal sealed class WaitingRoom(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Turn> _waiting = [];
    private volatile int _count;

    /// <summary>Requests that wait.</summary>
    public int Count => _count;

    /// <summary>Waits for an endpoint.</summary>
    /// <param name="acquire">Null and true: there are endpoints, and all are busy.</param>
    /// <param name="most">Requests that may wait.</param>
    /// <param name="cancellationToken">The client's going away.</param>
    /// <returns>The endpoint; null if there was none in time or too many wait already (<c>Busy</c>), or there is none at all any more.</returns>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public async ValueTask<(ReplicaEndpoint? Endpoint, bool Busy)> WaitAsync(
        Func<(ReplicaEndpoint? Endpoint, bool Busy)> acquire, int most, TimeSpan longest, CancellationToken cancellationToken)
    {
        var turn = new Turn();
        lock (_gate)
        {
            if (_waiting.Count >= most)
            {
                return (null, true);
            }

            turn.Node = _waiting.AddLast(turn);
            _count = _waiting.Count;
        }

        var started = time.GetTimestamp();
        try
        {
            while (true)
            {
                // Looked at only now that a release would be heard: none is lost between the two.
                var called = turn.Called;
                var (endpoint, busy) = acquire();
                if (endpoint is not null || !busy)
                {
                    return (endpoint, busy);
                }

                var left = longest - time.GetElapsedTime(started);
                if (left <= TimeSpan.Zero)
                {
                    return (null, true);
                }

                await called.WaitAsync(left, time, cancellationToken);
            }
        }
        catch (TimeoutException)
        {
            return (null, true);
        }
        finally
        {
            Leave(turn);
        }
    }

    /// <summary>A request has left an endpoint: the one that has waited longest may look.</summary>
    public void Release()
    {
        if (_count > 0)
        {
            lock (_gate)
            {
                CallNext();
            }
        }
    }

    /// <summary>There are other endpoints, or other limits: all may look.</summary>
    public void ReleaseAll()
    {
        lock (_gate)
        {
            foreach (var turn in _waiting)
            {
                turn.Call();
            }
        }
    }

    private void Leave(Turn turn)
    {
        lock (_gate)
        {
            _waiting.Remove(turn.Node!);
            _count = _waiting.Count;

            // It may have been called and not have needed it.
            CallNext();
        }
    }

    private void CallNext()
    {
        if (_waiting.First?.Value is { } next)
        {
            next.Call();
        }
    }

    private sealed class Turn
    {
        private volatile TaskCompletionSource _called = New();

        public LinkedListNode<Turn>? Node { get; set; }

        /// <summary>Completes at the next call from now on.</summary>
        public Task Called
        {
            get
            {
                if (_called.Task.IsCompleted)
                {
                    _called = New();
                }

                return _called.Task;
            }
        }

        public void Call() => _called.TrySetResult();

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
