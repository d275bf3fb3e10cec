using Orchestrator.Runtime;
using Prometheus;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// What one replica has answered, from its first request until it is gone. Bounded: with more replicas than there may be series
/// for, the later ones have none until others go; the app's metrics have all. Thread-safe.
/// </summary>
internal sealed class ReplicaMetrics(ObjectKey app, string replica) : IDisposable
{
    /// <summary>Replicas that have series at a time, of all apps. Default 1000: up to 5 series each, which any Prometheus bears.</summary>
    public const int MostReplicas = 1000;

    private static readonly Counter AllRequests = Metrics.CreateCounter(
        "orchestrator_proxy_replica_requests_total",
        "Tries sent to a replica, by class of status; one without an answer counts as what the proxy would answer.",
        new CounterConfiguration { LabelNames = ["namespace", "app", "replica", "code"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static int s_replicas;

    private readonly Lock _gate = new();
    private readonly Counter.Child?[] _requests = new Counter.Child?[StatusClasses.All.Count];
    private bool _counts;
    private volatile bool _ended;

    public void Count(int status)
    {
        var code = StatusClasses.IndexOf(status);
        if (!_ended)
        {
            (Volatile.Read(ref _requests[code]) ?? Begin(code))?.Inc();
        }
    }

    /// <summary>The series go. What is counted later is not.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            if (!_counts)
            {
                return;
            }

            _counts = false;
            Interlocked.Decrement(ref s_replicas);
            foreach (var code in StatusClasses.All)
            {
                AllRequests.RemoveLabelled(LabelsOf(code));
            }
        }
    }

    private Counter.Child? Begin(int code)
    {
        lock (_gate)
        {
            if (_ended)
            {
                return null;
            }

            if (!_counts && Interlocked.Increment(ref s_replicas) > MostReplicas)
            {
                Interlocked.Decrement(ref s_replicas);
                return null;
            }

            _counts = true;
            return _requests[code] ??= AllRequests.WithLabels(LabelsOf(StatusClasses.All[code]));
        }
    }

    private string[] LabelsOf(string code) => [app.Namespace ?? "", app.Name, replica, code];
}
