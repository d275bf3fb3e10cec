using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Canaries;

/// <summary>
/// What this proxy has seen of a canary in one period, from zero. Thread-safe. A request belongs to the period in which it was
/// sent to its replica: what ends after the next one has begun is counted where nobody looks any more.
/// </summary>
/// <param name="metrics">The same for all periods of a revision.</param>
internal sealed class CanaryCounts(ObjectKey app, CanaryPeriod period, CanaryMetrics metrics)
{
    private readonly Side _stable = new();
    private readonly Side _canary = new();

    public CanaryPeriod Period => period;

    public CanaryMetrics Metrics => metrics;

    /// <summary>Counts one try of a request. Those of a third revision, which an earlier rollout left, say nothing of either side.</summary>
    /// <param name="status">Of the answer; the proxy's own when there was none, or it broke off.</param>
    /// <param name="latency">Null when the replica gave no answer.</param>
    public void Count(ReplicaEndpoint endpoint, int status, TimeSpan? latency)
    {
        var revision = endpoint.Id.Revision;
        if (revision == period.Stable)
        {
            _stable.Count(status, latency);
            metrics.Stable(status).Inc();
        }
        else if (revision == period.Revision)
        {
            _canary.Count(status, latency);
            metrics.Canary(status).Inc();
        }
    }

    public CanaryObservation Read() => new(app.ToString(), period.Revision, period.Since, _stable.Read(), _canary.Read());

    private sealed class Side
    {
        private readonly long[] _latencies = new long[LatencyBuckets.Count];
        private long _requests;
        private long _errors;

        public void Count(int status, TimeSpan? latency)
        {
            Interlocked.Increment(ref _requests);
            if (status >= StatusCodes.Status500InternalServerError)
            {
                Interlocked.Increment(ref _errors);
            }

            // An upgraded connection lasts as long as it pleases.
            if (latency is { } took && status != StatusCodes.Status101SwitchingProtocols)
            {
                Interlocked.Increment(ref _latencies[LatencyBuckets.Of(took)]);
            }
        }

        public RequestCounts Read()
        {
            // Requests last: they are counted first, so that there are never more errors than requests.
            var errors = Volatile.Read(ref _errors);
            var length = _latencies.Length;
            while (length > 0 && Volatile.Read(ref _latencies[length - 1]) == 0)
            {
                length--;
            }

            var latencies = new long[length];
            for (var bucket = 0; bucket < length; bucket++)
            {
                latencies[bucket] = Volatile.Read(ref _latencies[bucket]);
            }

            return new(Volatile.Read(ref _requests), errors, latencies);
        }
    }
}
