using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>Whether a request, or a connection, that a replica failed is tried on another one.</summary>
internal static class FurtherTries
{
    /// <summary>After the first one, each on another replica: enough for a host that has gone with several of them.</summary>
    public const int Most = 2;

    /// <summary>Whether there is another replica and a try left for it, and the app's budget allows it; then it is spent.</summary>
    /// <param name="tried">Those before the one that failed now; it is added if another may be tried.</param>
    public static bool TryBegin(AppState app, ref List<ReplicaEndpoint>? tried, ReplicaEndpoint failed)
    {
        if (tried?.Count >= Most || !HasAnother(app, tried, failed))
        {
            return false;
        }

        // From a new revision back to the stable one there is always a way: the stable one gets no more than all requests once.
        if (!app.Shared.IsOnTrial(failed) && !app.Retries.TrySpend())
        {
            app.Metrics.RetriesRefused.Inc();
            return false;
        }

        (tried ??= new(Most)).Add(failed);
        app.Metrics.Retries.Inc();
        return true;
    }

    private static bool HasAnother(AppState app, List<ReplicaEndpoint>? tried, ReplicaEndpoint failed)
    {
        foreach (var endpoint in app.Endpoints)
        {
            if (endpoint != failed && tried?.Contains(endpoint) != true)
            {
                return true;
            }
        }

        return false;
    }
}
