using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Health;

/// <summary>
/// Finds endpoints that do far worse than the others of their app, and has requests avoid them for a while: longer each time, never too many at
/// once. What goes badly everywhere is the app's own trouble, and avoiding some would only put more on the rest.
/// </summary>
internal sealed partial class Outliers(Routes routes, ILogger<Outliers> logger, TimeProvider time)
{
    /// <summary>Between two looks at latencies and at who may come back.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Answers of an endpoint before its latency means anything.</summary>
    public const int LeastSamples = 20;

    /// <summary>Beyond the median of the others, or it is no matter.</summary>
    private static readonly TimeSpan LeastSlowness = TimeSpan.FromMilliseconds(100);

    /// <summary>Of doing well, until earlier times do not count any more.</summary>
    private static readonly TimeSpan Forgiven = TimeSpan.FromMinutes(10);

    /// <summary>An endpoint has answered.</summary>
    /// <param name="latency">Until the answer began.</param>
    public void Answered(AppState app, ReplicaEndpoint endpoint, int status, TimeSpan latency)
    {
        if (status >= StatusCodes.Status500InternalServerError)
        {
            Failed(app, endpoint);
        }
        else
        {
            endpoint.Conduct.Good(latency);
        }
    }

    /// <summary>An endpoint has answered with an error of its own, or not at all.</summary>
    public void Failed(AppState app, ReplicaEndpoint endpoint)
    {
        var conduct = endpoint.Conduct;
        conduct.Bad();
        if (app.Policy.Outliers.ConsecutiveErrors is > 0 and var most && conduct.ErrorsInARow >= most && !endpoint.IsSuspect
            && IsWorse(app, endpoint, most))
        {
            Eject(app, endpoint, AppMetrics.Errors, $"{conduct.ErrorsInARow} errors in a row");
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var app in routes.Table.Apps)
            {
                Look(app);
            }
        }
    }

    internal void Look(AppState app)
    {
        var endpoints = app.Endpoints;
        if (endpoints.Count < 2)
        {
            return;
        }

        foreach (var endpoint in endpoints)
        {
            var ejection = endpoint.Ejection;
            if (ejection.Times == 0)
            {
                continue;
            }

            var since = time.GetElapsedTime(ejection.Since);
            if ((endpoint.Avoided & AvoidReasons.Outlier) == 0)
            {
                ejection.Times = since - ejection.Length > Forgiven ? 0 : ejection.Times;
            }
            else if (since >= ejection.Length)
            {
                endpoint.Conduct.Forget();
                app.Trust(endpoint, AvoidReasons.Outlier);
                Log.Back(logger, app.Key.ToString(), endpoint.Id);
            }
        }

        if (app.Policy.Outliers.LatencyFactor > 0)
        {
            LookForSlow(app, endpoints);
        }
    }

    private void LookForSlow(AppState app, IReadOnlyList<ReplicaEndpoint> endpoints)
    {
        var known = endpoints.Where(static one => !one.IsSuspect && one.Conduct.Samples >= LeastSamples).OrderBy(static one => one.Conduct.Latency).ToList();
        if (known.Count < 2)
        {
            return;
        }

        // The slowest alone: without it the next look may find the others quite alike.
        var (slowest, median) = (known[^1], known[(known.Count - 2) / 2].Conduct.Latency);
        var latency = slowest.Conduct.Latency;
        if (latency > median * app.Policy.Outliers.LatencyFactor && latency - median > LeastSlowness)
        {
            Eject(app, slowest, AppMetrics.Latency, $"answers begin after {latency.TotalMilliseconds:F0} ms, those of the others after {median.TotalMilliseconds:F0} ms");
        }
    }

    /// <summary>
    /// Whether most of the others answered well the last time, and they fail far less often: by half of what so many errors in a row make of a
    /// share that was nothing.
    /// </summary>
    private static bool IsWorse(AppState app, ReplicaEndpoint endpoint, int errorsInARow)
    {
        var others = app.Endpoints.Where(other => other != endpoint && !other.IsSuspect && other.Conduct.Samples > 0).ToList();
        return others.Count(static other => other.Conduct.ErrorsInARow == 0) * 2 > others.Count
            && endpoint.Conduct.ErrorShare - others.Average(static other => other.Conduct.ErrorShare) >= (1 - Math.Pow(1 - Conduct.ErrorWeight, errorsInARow)) / 2;
    }

    private void Eject(AppState app, ReplicaEndpoint endpoint, string reason, string what)
    {
        var rules = app.Policy.Outliers;
        if (!app.Avoid(endpoint, AvoidReasons.Outlier, rules.MostEjected(app.Endpoints.Count)))
        {
            return;
        }

        // Whoever has ejected it is alone with it until it is trusted again.
        var ejection = endpoint.Ejection;
        ejection.Times++;
        (ejection.Since, ejection.Length) = (time.GetTimestamp(), rules.EjectionTime(ejection.Times));
        app.Metrics.Ejections(reason).Inc();
        Log.Ejected(logger, app.Key.ToString(), endpoint.Id, ejection.Length, what);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{App}: endpoint {Endpoint} is avoided for {Length}: {What}")]
        public static partial void Ejected(ILogger logger, string app, EndpointId endpoint, TimeSpan length, string what);

        [LoggerMessage(Level = LogLevel.Information, Message = "{App}: endpoint {Endpoint} gets requests again")]
        public static partial void Back(ILogger logger, string app, EndpointId endpoint);
    }
}
