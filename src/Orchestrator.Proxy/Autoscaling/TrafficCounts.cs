using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Autoscaling;

/// <summary>
/// What this proxy sees of an app that is scaled by it. Thread-safe; a request costs it two or three additions. Averages are taken over the last
/// <see cref="Window"/>, by whoever calls <see cref="Sample"/> once a second.
/// </summary>
internal sealed class TrafficCounts(ObjectKey app, bool withLatencies, TimeProvider time)
{
    /// <summary>What is told is the average of: the period of the autoscaler's decisions.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(15);

    /// <summary>From less than this no rate is told.</summary>
    public static readonly TimeSpan LeastWindow = TimeSpan.FromSeconds(2);

    private readonly long[]? _latencies = withLatencies ? new long[LatencyBuckets.Count] : null;
    private readonly Queue<Snapshot> _snapshots = new();
    private long _requests;
    private int _inFlight;
    private long _inFlightSamples;
    private Snapshot? _newest;

    public bool WithLatencies => withLatencies;

    /// <summary>A request has begun. Every one that has must also <see cref="End"/>.</summary>
    public void Begin()
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Increment(ref _inFlight);
    }

    /// <param name="took">Null for what says nothing of the app's speed: upgraded connections, answers of the proxy's own.</param>
    public void End(TimeSpan? took)
    {
        Interlocked.Decrement(ref _inFlight);
        if (_latencies is not null && took is { } latency)
        {
            Interlocked.Increment(ref _latencies[LatencyBuckets.Of(latency)]);
        }
    }

    /// <summary>Looks at the counts. Not thread-safe, and neither is <see cref="Read"/>: one thread does both.</summary>
    public void Sample()
    {
        _inFlightSamples += Volatile.Read(ref _inFlight);
        var now = time.GetTimestamp();
        _newest = new(now, Volatile.Read(ref _requests), _inFlightSamples, (_newest?.Samples ?? 0) + 1, [.. _latencies ?? []]);
        _snapshots.Enqueue(_newest);

        // One that is as old as the window is what the newest is compared with.
        while (_snapshots.Count > 1 && time.GetElapsedTime(_snapshots.ElementAt(1).At, now) >= Window)
        {
            _snapshots.Dequeue();
        }
    }

    /// <param name="waiting">Requests that wait for a replica now.</param>
    public TrafficObservation Read(int waiting)
    {
        if (_newest is not { } newest || _snapshots.Peek() is not { } oldest || time.GetElapsedTime(oldest.At, newest.At) is var span && span < LeastWindow)
        {
            return new(app.ToString(), RequestsPerSecond: null, InFlight: null, waiting);
        }

        return new(
            app.ToString(),
            Math.Round((newest.Requests - oldest.Requests) / span.TotalSeconds, 3),
            Math.Round((double)(newest.InFlightSamples - oldest.InFlightSamples) / (newest.Samples - oldest.Samples), 3),
            waiting,
            _latencies is null ? null : Between(oldest.Latencies, newest.Latencies));
    }

    private static long[] Between(long[] oldest, long[] newest)
    {
        var length = newest.Length;
        while (length > 0 && newest[length - 1] == oldest[length - 1])
        {
            length--;
        }

        return [.. newest.Take(length).Select((count, bucket) => count - oldest[bucket])];
    }

    /// <param name="InFlightSamples">Sum of all samples of the requests under way.</param>
    /// <param name="Samples">How many samples that is.</param>
    private sealed record Snapshot(long At, long Requests, long InFlightSamples, long Samples, long[] Latencies);
}
