using System.Collections.Concurrent;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>
/// Decides how many replicas an app is to have, and writes that into <c>status.autoscaling</c>, which the WebApp controller follows. Never writes
/// the spec: there is nothing that an apply could take back.
/// </summary>
internal sealed class AutoscalingReconciler(
    SharedInformers informers, ProxyTraffic traffic, ReplicaMeasurements measurements, PrometheusClient prometheus, IEventRecorder events, TimeProvider time)
{
    /// <summary>From one decision to the next. Kubernetes' default.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(15);

    /// <summary>After one that could not be made: what it lacked may be there soon, as when a proxy has only just begun to count.</summary>
    public static readonly TimeSpan PeriodAfterFailure = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<ObjectKey, Memory> _memories = new();
    private readonly long _origin = time.GetTimestamp();

    /// <summary>What was known when somebody else led is of the past.</summary>
    public void ForgetAll() => _memories.Clear();

    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (informers.WebApps.Get(key) is not { Spec.Autoscaling: { } autoscaling, Metadata.DeletionTimestamp: null } app)
        {
            _memories.TryRemove(key, out _);
            return ReconcileResult.Done;
        }

        var now = time.GetElapsedTime(_origin);
        var memory = _memories.TryGetValue(key, out var known) && known.Uid == app.Metadata.Uid ? known : null;
        var seen = traffic.Of(key);
        var isWaitedFor = app.DesiredReplicas == 0 && seen.Waiting > 0;
        if (memory is not null && memory.Generation == app.Metadata.Generation && memory.Next - now is { Ticks: > 0 } left && !isWaitedFor)
        {
            return ReconcileResult.After(left);
        }

        var current = app.Status?.Autoscaling?.DesiredReplicas ?? app.DesiredReplicas;
        var counts = new ReplicaCounts(current, app.Status?.Replicas ?? 0, app.Status?.ReadyReplicas ?? 0);
        var proposals = await ProposeAsync(app, autoscaling, seen, counts, cancellationToken);
        var decision = ScaleDecision.Make(new(
            current, Floor.Of(autoscaling, time.GetUtcNow()), autoscaling.MaxReplicas, proposals, autoscaling.Behavior, memory?.History, now));
        await WriteAsync(app, current, decision, proposals, cancellationToken);
        if (memory?.Generation != app.Metadata.Generation)
        {
            foreach (var fault in Floor.Faults(autoscaling))
            {
                events.Record(app, EventTypes.Warning, AutoscalingReasons.InvalidSchedule, fault);
            }
        }

        var period = decision.Active is { Holds: false } ? PeriodAfterFailure : Period;
        _memories[key] = new(app.Metadata.Uid, app.Metadata.Generation, now + period, decision.History);
        return ReconcileResult.After(period);
    }

    private async Task<IReadOnlyList<Proposal>> ProposeAsync(
        WebApp app, Api.WebApps.Autoscaling autoscaling, AppTraffic seen, ReplicaCounts counts, CancellationToken cancellationToken)
    {
        // Without a route no proxy sees the app: then a query alone brings it back.
        var canBeAskedFor = autoscaling.ScalesToZero && app.Spec.Route is not null;
        var usages = autoscaling.Metrics.Any(metric => MetricTypes.IsOfEngines(metric.Type)) ? await measurements.ReadAsync(app, cancellationToken) : [];
        List<Proposal> proposals = [.. await Task.WhenAll(autoscaling.Metrics.Select(ProposeAsync))];
        if (canBeAskedFor)
        {
            proposals.Add(TrafficProposals.Presence(seen));
        }

        return proposals;

        async Task<Proposal> ProposeAsync(AutoscalingMetric metric)
        {
            if (metric.Type == MetricTypes.Prometheus)
            {
                var answer = metric.Prometheus is { } query ? await prometheus.AskAsync(query, cancellationToken) : new(null, "it has no prometheus.query");
                return PrometheusProposals.Of(metric, answer, counts);
            }

            if (MetricTypes.IsOfProxies(metric.Type))
            {
                return TrafficProposals.Of(metric, seen, counts);
            }

            // An idle app uses some of both as well, and would never go to zero; one without replicas uses none, and would never come back.
            var needsNone = (autoscaling.ScalesToZero && counts.Wanted == 0) || (canBeAskedFor && seen is { Problem: null, IsIdle: true });
            var proposal = needsNone && usages.Count == 0
                ? Proposal.Of(metric.Type, 0, seen: null)
                : ResourceProposals.Of(metric, [.. usages.Select(one => measurements.Judge(one.Replica, one.Usage, metric.Type))], counts.Wanted);
            return needsNone ? proposal with { Replicas = 0, Failure = null } : proposal;
        }
    }

    /// <exception cref="ConflictException">The app changed meanwhile: another decision is made, on what is there then.</exception>
    private async Task WriteAsync(WebApp app, int current, ScaleDecision decision, IReadOnlyList<Proposal> proposals, CancellationToken cancellationToken)
    {
        var (before, now) = (app.Status?.Autoscaling, time.GetUtcNow());
        var status = new AutoscalingStatus
        {
            DesiredReplicas = decision.Desired,
            LastScaleTime = decision.Desired == current ? before?.LastScaleTime : DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()).UtcDateTime,
            CurrentMetrics = proposals.Any(proposal => proposal.Seen is not null) ? [.. proposals.Select(proposal => proposal.Seen).OfType<MetricStatus>()] : null,
            Conditions =
            [
                .. new[]
                {
                    Next(ConditionTypes.AbleToScale, decision.Able),
                    Next(ConditionTypes.ScalingActive, decision.Active),
                    Next(ConditionTypes.ScalingLimited, decision.Limited),
                }.OfType<V1Condition>(),
            ],
        };
        if (MergePatch.Between(before, status) is { } changes)
        {
            var patch = new { metadata = new { resourceVersion = app.Metadata.ResourceVersion }, status = new { autoscaling = changes } };
            informers.WebApps.Seed(await informers.WebAppClient.MergePatchStatusAsync(ObjectKey.Of(app), patch, cancellationToken));
        }

        Tell(app, before, current, decision);

        V1Condition? Next(string type, Verdict? verdict) => verdict is null
            ? Conditions.Find(before?.Conditions, type)
            : Conditions.Next(before?.Conditions, type, verdict.Holds, verdict.Reason, verdict.Message, app.Metadata.Generation, now);
    }

    private void Tell(WebApp app, AutoscalingStatus? before, int current, ScaleDecision decision)
    {
        if (decision.Cause is { } cause)
        {
            events.Record(app, EventTypes.Normal, AutoscalingReasons.SuccessfulRescale, $"{decision.Desired} replicas instead of {current}: {cause}");
        }

        if (decision.Active is { Holds: false } failed && Conditions.Find(before?.Conditions, ConditionTypes.ScalingActive)?.Message != failed.Message)
        {
            events.Record(app, EventTypes.Warning, failed.Reason, failed.Message);
        }
    }

    /// <summary>Of one app.</summary>
    /// <param name="Next">When the next decision is due.</param>
    private sealed record Memory(string Uid, long? Generation, TimeSpan Next, ScalingHistory History);
}
