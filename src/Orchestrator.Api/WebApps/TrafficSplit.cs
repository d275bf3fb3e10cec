namespace Orchestrator.Api.WebApps;

/// <summary>
/// How an app's requests are shared between the replicas of its stable revision and all others. Where one of the two has no
/// replica that takes requests, the other gets them all.
/// </summary>
/// <param name="Stable">The stable revision.</param>
/// <param name="OthersPercent">Percent of the requests that go to replicas of other revisions, 0 to 100.</param>
public sealed record TrafficSplit(string Stable, int OthersPercent)
{
    /// <returns>Null: all replicas share alike.</returns>
    public static TrafficSplit? Of(WebApp app)
    {
        if (app.Status is not { CurrentRevision: { } stable } status)
        {
            return null;
        }

        // What was taken back gets nothing more, even before its replicas are told to go.
        if (status.FailedRollout is not null)
        {
            return new(stable, 0);
        }

        if (app.Spec.Strategy?.Type != RolloutStrategy.Canary)
        {
            return null;
        }

        // A new revision gets nothing before the controller has said how much.
        return status.Rollout?.Canary is not { } canary || canary.Revision != status.UpdateRevision ? new(stable, 0)
            : canary.Weight is { } weight ? new(stable, weight)
            : null;
    }
}
