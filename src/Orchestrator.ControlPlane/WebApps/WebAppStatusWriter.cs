using System.Collections.Concurrent;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Acme;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// Writes a WebApp's status when it changed. The first change of a burst is written at once, and so is a state that is final;
/// what comes between is written together.
/// </summary>
internal sealed class WebAppStatusWriter(
    Informer<WebApp> apps, ResourceClient<WebApp> client, IEventRecorder events, TimeProvider time)
{
    /// <summary>Short enough for a person who watches, long enough that 30 replicas that start together are one write.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<ObjectKey, long> _writtenAt = new();

    public void Forget(ObjectKey app) => _writtenAt.TryRemove(app, out _);

    /// <returns>When to come again because the write was put off; null when the status is as it should be.</returns>
    /// <exception cref="ConflictException">The app changed meanwhile.</exception>
    public async Task<TimeSpan?> WriteAsync(RollupInput input, CancellationToken cancellationToken)
    {
        var app = input.App;
        var key = ObjectKey.Of(app);
        var status = StatusRollup.Make(input, time.GetUtcNow());
        WebAppMetrics.Set(key, app.DesiredReplicas, status.Replicas, status.ReadyReplicas);
        if (MergePatch.Between(app.Status, status) is not { } changes)
        {
            return null;
        }

        var isFinal = app.Metadata.DeletionTimestamp is null && StatusRollup.IsComplete(app.DesiredReplicas, input.Live);
        var isUrgent = (status.FailedRollout is { } failed && app.Status?.FailedRollout?.Revision != failed.Revision)
            || status.Rollout?.Canary?.Weight != app.Status?.Rollout?.Canary?.Weight;
        if (!isFinal && !isUrgent && _writtenAt.TryGetValue(key, out var last) && Pause - time.GetElapsedTime(last) is { Ticks: > 0 } left)
        {
            return left;
        }

        var patch = new { metadata = new { resourceVersion = app.Metadata.ResourceVersion }, status = changes };
        apps.Seed(await client.MergePatchStatusAsync(key, patch, cancellationToken));
        _writtenAt[key] = time.GetTimestamp();
        Tell(app, app.Status, status);
        return null;
    }

    private void Tell(WebApp app, WebAppStatus? before, WebAppStatus after)
    {
        if (after.FailedRollout is { } failed && failed.Revision != before?.FailedRollout?.Revision)
        {
            events.Record(app, EventTypes.Warning, WebAppReasons.RolledBack,
                $"revision {failed.Revision} failed, going back to {after.CurrentRevision}: {failed.Reason}: {failed.Message}");
        }

        if (after.Rollout?.Canary is { } canary)
        {
            TellCanary(app, before?.Rollout?.Canary is { } known && known.Revision == canary.Revision ? known : null, canary);
        }

        if (before?.CurrentRevision != after.CurrentRevision)
        {
            events.Record(app, EventTypes.Normal, WebAppReasons.RolloutComplete,
                $"revision {after.CurrentRevision} is complete: {after.ReadyReplicas} replicas are ready");
        }

        TellTrouble(app, before, after, ConditionTypes.RouteAccepted);
        TellTrouble(app, before, after, ConditionTypes.CertificateReady);
    }

    private void TellTrouble(WebApp app, WebAppStatus? before, WebAppStatus after, string type)
    {
        var condition = Conditions.Find(after.Conditions, type);
        if (condition?.Status == Conditions.False && condition.Reason != AcmeReasons.Ordering && app.Metadata.DeletionTimestamp is null
            && Conditions.Find(before?.Conditions, type)?.Message != condition.Message)
        {
            events.Record(app, EventTypes.Warning, condition.Reason, condition.Message);
        }
    }

    private void TellCanary(WebApp app, CanaryProgress? before, CanaryProgress after)
    {
        if (after.Step >= app.Spec.Strategy!.CanarySteps!.Steps.Count)
        {
            if (after.Step != before?.Step)
            {
                events.Record(app, EventTypes.Normal, WebAppReasons.CanaryPromoted, $"revision {after.Revision} takes the place of the one before");
            }
        }
        else if (after.Weight > 0 && after.Weight != before?.Weight)
        {
            events.Record(app, EventTypes.Normal, WebAppReasons.CanaryWeight, $"revision {after.Revision} gets {after.Weight} % of the requests");
        }
    }
}
