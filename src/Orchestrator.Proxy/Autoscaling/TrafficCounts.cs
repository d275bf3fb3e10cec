using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Autoscaling;

/// <summary>
/// What this proxy sees of an app. Thread-safe; a request costs it four additions, five if it fails. Averages are taken over the last
/// <see cref="Window"/>, by whoever calls <see cref="Sample"/> once a second.
/// </summary>
internal sealed class TrafficCounts(ObjectKey app, TimeProvider time)
{
    /// <summary>What is told is the average of: the period of the autoscaler's decisions.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(15);

    /// <summary>From less than this no rate is told.</summary>
    public static readonly TimeSpan LeastWindow = TimeSpan.FromSeconds(2);

    private readonly string _app = app.ToString();
    private readonly long[] _latencies = new long[LatencyBuckets.Count];
    private readonly Queue<Snapshot> _snapshots = new();
    private long _requests;
    private long _errors;
    private int _inFlight;
    private Snapshot _newest = new(0, 0, 0, 0, 0, 0, []);

    /// <summary>A request has begun. Every one that has must also <see cref="End"/>.</summary>
    public void Begin()
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Increment(ref _inFlight);
    }

    /// <param name="status">That the app's metrics have it with.</param>
    /// <param name="took">Null for what says nothing of the app's speed: upgraded connections, answers of the proxy's own.</param>
    public void End(int status, TimeSpan? took)
    {
        Interlocked.Decrement(ref _inFlight);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            Interlocked.Increment(ref _errors);
        }

        if (took is { } latency)
        {
            Interlocked.Increment(ref _latencies[LatencyBuckets.Of(latency)]);
        }
    }

    /// <summary>Looks at the counts. Not thread-safe, and neither is <see cref="Read"/>: one thread does both.</summary>
    public void Sample()
    {
        // Requests come and go meanwhile; in this order none has failed that has not ended.
        var errors = Volatile.Read(ref _errors);
        var inFlight = Volatile.Read(ref _inFlight);
        var requests = Volatile.Read(ref _requests);
        _newest = new(
            time.GetTimestamp(),
            requests,
            requests - inFlight,
            errors,
            _newest.InFlightSamples + inFlight,
            _newest.Samples + 1,
            LatenciesNow());
        _snapshots.Enqueue(_newest);

        // One that is as old as the window is what the newest is compared with.
        while (_snapshots.Count > 1 && time.GetElapsedTime(_snapshots.ElementAt(1).At, _newest.At) >= Window)
        {
            _snapshots.Dequeue();
        }
    }

    /// <param name="waiting">Requests that wait for a replica now.</param>
    public TrafficObservation Read(int waiting)
    {
        if (!_snapshots.TryPeek(out var oldest) || time.GetElapsedTime(oldest.At, _newest.At) is var span && span < LeastWindow)
        {
            return new(_app, RequestsPerSecond: null, InFlight: null, waiting);
        }

        // One that was just beginning when it was looked at can make ends fewer than they were.
        double Rate(long before, long now) => Math.Round(Math.Max(0, now - before) / span.TotalSeconds, 3);
        return new(
            _app,
            Rate(oldest.Requests, _newest.Requests),
            Math.Round((double)(_newest.InFlightSamples - oldest.InFlightSamples) / (_newest.Samples - oldest.Samples), 3),
            waiting,
            Between(oldest.Latencies, _newest.Latencies),
            Rate(oldest.Ended, _newest.Ended),
            Rate(oldest.Errors, _newest.Errors));
    }

    /// <summary>The array of the snapshot before, if nothing was added to it: most apps of many are idle, and each keeps some 16 of them.</summary>
    private long[] LatenciesNow()
    {
        var before = _newest.Latencies;
        return before.AsSpan().SequenceEqual(_latencies) || (before.Length == 0 && !_latencies.AsSpan().ContainsAnyExcept(0)) ? before : [.. _latencies];
    }

    private static long[] Between(long[] oldest, long[] newest)
    {
        if (oldest == newest)
        {
            return [];
        }

        var length = newest.Length;
        while (length > 0 && newest[length - 1] == CountOf(oldest, length - 1))
        {
            length--;
        }

        return [.. newest.Take(length).Select((count, bucket) => count - CountOf(oldest, bucket))];
    }

    private static long CountOf(long[] latencies, int bucket) => bucket < latencies.Length ? latencies[bucket] : 0;

    /// <param name="Ended">Of the requests that have begun, those that are no longer under way.</param>
    /// <param name="InFlightSamples">Sum of all samples of the requests under way.</param>
    /// <param name="Samples">How many samples that is.</param>
    /// <param name="Latencies">Empty while there is none.</param>
    private readonly record struct Snapshot(
        long At, long Requests, long Ended, long Errors, long InFlightSamples, long Samples, long[] Latencies);
}
