using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Usage;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>What the replicas of an app use, asked of their hosts. Only of apps that are scaled by it.</summary>
internal sealed class ReplicaMeasurements(SharedInformers informers, IUsageSource source, TimeProvider time)
{
    /// <summary>For so long a replica's CPU counts only while it serves, since starting costs much. Kubernetes' default.</summary>
    private static readonly TimeSpan CpuInitializationPeriod = TimeSpan.FromMinutes(5);

    /// <summary>One that became unready sooner than this after it was made has never been ready. Kubernetes' default.</summary>
    private static readonly TimeSpan InitialReadinessDelay = TimeSpan.FromSeconds(30);

    /// <returns>Each replica that is not being deleted, with what its container uses; null when that is not known.</returns>
    public async Task<IReadOnlyList<(Replica Replica, ResourceUsage? Usage)>> ReadAsync(WebApp app, CancellationToken cancellationToken)
    {
        var replicas = informers.Replicas.ByIndex(ReplicaIndexes.ByApp, ReplicaIndexes.AppKey(app.Metadata.NamespaceProperty, app.Metadata.Name))
            .Where(replica => replica.Metadata.DeletionTimestamp is null)
            .ToList();
        var answers = await Task.WhenAll(replicas
            .Where(replica => replica is { Spec.HostName: not null, Status.ContainerId: not null })
            .GroupBy(replica => replica.Spec.HostName!, replica => replica.Status!.ContainerId!)
            .Select(host => source.ReadAsync(host.Key, [.. host], cancellationToken)));
        var usages = answers.SelectMany(answer => answer).DistinctBy(entry => entry.Key).ToDictionary();
        return [.. replicas.Select(replica => (replica, replica.Status?.ContainerId is { } id ? usages.GetValueOrDefault(id) : null))];
    }

    /// <summary>How a replica's share of a resource counts: Kubernetes' groupPods.</summary>
    public MeasuredReplica Judge(Replica replica, ResourceUsage? usage, string resource)
    {
        var request = replica.Spec.Template.Resources?.Requested(resource);
        if (replica.Status?.StartedAt is null)
        {
            return new(Share.Unready, request);
        }

        return usage is null ? new(Share.Missing, request)
            : resource == MetricTypes.Cpu && IsUnready(replica, usage) ? new(Share.Unready, request)
            : new(Share.Measured, request, resource == MetricTypes.Cpu ? usage.CpuCores : usage.MemoryBytes);
    }

    private bool IsUnready(Replica replica, ResourceUsage usage)
    {
        if (Conditions.Find(replica.Status!.Conditions, ConditionTypes.Ready) is not { LastTransitionTime: { } since } ready
            || replica.Metadata.CreationTimestamp is not { } made)
        {
            return true;
        }

        var now = time.GetUtcNow().UtcDateTime;
        return now < made + CpuInitializationPeriod
            ? ready.Status != Conditions.True || now < since + usage.Window
            : ready.Status != Conditions.True && made + InitialReadinessDelay > since;
    }
}
