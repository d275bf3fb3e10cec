using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Waiting;

/// <summary>How far a host is emptied, and what keeps the rest.</summary>
internal sealed class HostDrain(Session session)
{
    /// <summary>Apps that are told of one by one. To say why takes a list of each app's replicas at each look.</summary>
    private const int MostApps = 5;

    /// <exception cref="CommandException">It is not to be drained any more, or gone.</exception>
    public async Task<Readiness> LookAsync(Awaited host, CancellationToken cancellationToken)
    {
        var live = await ReadHostAsync(host, cancellationToken);
        if (!(live.Spec.Drain ?? false))
        {
            throw CommandException.Failed($"{host} was uncordoned while it was waited for");
        }

        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, Replica.KubeKind, cancellationToken);
        var left = await ListAsync(kind, null, $"{Labels.Host}={host.Name}", cancellationToken);
        if (left.Count == 0)
        {
            return new(true, "drained");
        }

        var apps = left
            .GroupBy(replica => (Namespace: replica.Metadata.NamespaceProperty, App: replica.Spec.AppName))
            .OrderBy(app => app.Key.Namespace, StringComparer.Ordinal)
            .ThenBy(app => app.Key.App, StringComparer.Ordinal)
            .ToList();
        var told = new List<string>();
        foreach (var app in apps.Take(MostApps))
        {
            var why = await WhyAsync(kind, live, app.Key.Namespace, app.Key.App, [.. app], cancellationToken);
            told.Add($"{app.Key.Namespace}/{app.Key.App} {app.Count()}{(why is null ? "" : $" ({why})")}");
        }

        var more = apps.Count > MostApps ? $" and {apps.Count - MostApps} more apps" : "";
        return new(false, $"{(left.Count == 1 ? "1 replica" : $"{left.Count} replicas")} left: {string.Join(", ", told)}{more}");
    }

    /// <returns>Null while its replicas are on the move.</returns>
    private async Task<string?> WhyAsync(
        ResourceKind kind, DockerHost host, string @namespace, string name, List<Replica> left, CancellationToken cancellationToken)
    {
        if (Conditions.Find(host.Status?.Conditions, ConditionTypes.Ready) is { Status: not Conditions.True } down)
        {
            return $"the host does not answer, so nothing can be stopped there: {down.Message}";
        }

        if (left.TrueForAll(replica => replica.Metadata.DeletionTimestamp is not null))
        {
            return "stopping";
        }

        if (left.Find(replica => replica.GetController()?.Kind != WebApp.KubeKind) is { } stray)
        {
            return $"{stray.Metadata.Name} belongs to no app; `orc delete replica {stray.Metadata.Name} -n {@namespace}` removes it";
        }

        var elsewhere = (await ListAsync(kind, @namespace, $"{Labels.App}={name}", cancellationToken))
            .Where(replica => replica.Metadata.DeletionTimestamp is null && replica.Spec.HostName != host.Metadata.Name)
            .OrderBy(replica => replica.Metadata.Name, StringComparer.Ordinal)
            .ToList();
        if (elsewhere.Select(replica => Conditions.Find(replica.Status?.Conditions, ConditionTypes.Scheduled)).FirstOrDefault(IsFalse) is { } unfit)
        {
            return $"fits nowhere: {unfit.Message}";
        }

        if (elsewhere.Find(replica => replica.Status is not { Ready: true }) is { } unready)
        {
            var message = unready.Status?.Message ?? Conditions.Find(unready.Status?.Conditions, ConditionTypes.Ready)?.Message;
            return $"{unready.Metadata.Name} is not ready yet{(string.IsNullOrEmpty(message) ? "" : $": {message}")}";
        }

        return await HasLeaveAsync(@namespace, name, cancellationToken) ? null
            : "spec.disruption lets none of its replicas be missing, and spec.strategy.rollingUpdate.maxSurge none be there beyond those wanted: change one of them";
    }

    /// <summary>Whether the app's limits let a replica move at all.</summary>
    private async Task<bool> HasLeaveAsync(string @namespace, string name, CancellationToken cancellationToken)
    {
        try
        {
            var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, WebApp.KubeKind, cancellationToken);
            var live = await session.Api.GetAsync(kind.Path(@namespace, name), cancellationToken);
            var app = KubernetesJson.Deserialize<WebApp>(live.ToJsonString());
            return RollingUpdateLimits.Of(app.Spec.Strategy?.Rolling, app.DesiredReplicas).Surge > 0 || DisruptionLimits.MaxUnavailable(app) > 0;
        }
        catch (NotFoundException)
        {
            return true;
        }
    }

    private async Task<DockerHost> ReadHostAsync(Awaited host, CancellationToken cancellationToken)
    {
        try
        {
            return KubernetesJson.Deserialize<DockerHost>((await session.Api.GetAsync(host.Kind.Path(null, host.Name), cancellationToken)).ToJsonString());
        }
        catch (NotFoundException)
        {
            throw CommandException.Failed($"{host} was deleted while it was waited for");
        }
    }

    private Task<List<Replica>> ListAsync(ResourceKind kind, string? @namespace, string labels, CancellationToken cancellationToken) =>
        ListScope.ReadAllAsync<Replica>(session.Api, new(kind, @namespace, null, labels, null), cancellationToken);

    private static bool IsFalse(V1Condition? condition) => condition?.Status == Conditions.False;
}
