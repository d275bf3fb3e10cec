using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Hosts;

/// <summary>
/// A look at all containers of this installation on an engine: which Replica each is of, which are one too many, which nobody
/// claims. Containers without the installation's label are never seen here, and so never touched.
/// </summary>
internal sealed partial class EngineLook(
    Func<DockerHost> host,
    string instanceId,
    SharedInformers informers,
    ReplicaReconciler replicas,
    ContainerWork work,
    IEventRecorder events,
    ILogger logger)
{
    /// <summary>Reason of the Event on the DockerHost.</summary>
    internal const string RemovedContainer = "RemovedContainer";

    /// <summary>Seconds that a container nobody claims gets after the stop signal; whose it was would know better, but is gone.</summary>
    private static readonly TimeSpan OrphanGrace = TimeSpan.FromSeconds(10);

    private readonly string _hostName = host().Metadata.Name;
    private readonly HashSet<string> _leaving = [];
    private readonly LeftoverFiles _files = new(host().Metadata.Name, instanceId, logger);

    /// <param name="all">See <see cref="ReplicaReconciler.TakeListing"/>.</param>
    public async Task LookAsync(EngineSession session, bool all, CancellationToken cancellationToken)
    {
        var listed = await session.Engine.ListAsync(instanceId, cancellationToken);
        var claimed = new Dictionary<string, ListedContainer>();
        var unclaimed = new List<ListedContainer>();
        foreach (var replica in listed.GroupBy(container => container.Labels.GetValueOrDefault(Labels.ReplicaUid, "")))
        {
            if (replica.Key.Length == 0)
            {
                // It has our label and none of the others: we did not make it like that.
                continue;
            }

            if (!IsClaimed(replica.First().Labels))
            {
                unclaimed.AddRange(replica);
                continue;
            }

            var chosen = Choose(replica);
            claimed.Add(replica.Key, chosen);
            unclaimed.AddRange(replica.Where(container => container.Id != chosen.Id));
        }

        replicas.TakeListing(claimed, all);
        foreach (var container in unclaimed)
        {
            if (claimed.ContainsKey(container.Labels[Labels.ReplicaUid]))
            {
                StartRemoval(session, container, RemovalReason.Duplicate);
            }
            else if (await IsOrphanAsync(container.Labels, container.Name, cancellationToken))
            {
                StartRemoval(session, container, RemovalReason.ReplicaGone);
            }
        }

        await _files.RemoveAsync(
            session.Engine,
            listed,
            claimed,
            async (labels, name) => !IsClaimed(labels) && await IsOrphanAsync(labels, name, cancellationToken),
            cancellationToken);
    }

    private bool IsClaimed(IReadOnlyDictionary<string, string> labels) =>
        KeyOf(labels) is { } key
        && labels.GetValueOrDefault(Labels.Host) == _hostName
        && informers.Replicas.Get(key) is { } replica
        && replica.Metadata.Uid == labels[Labels.ReplicaUid]
        && replica.Spec.HostName == _hostName;

    /// <summary>The cache may be behind; before anything is removed the API itself is asked.</summary>
    private async Task<bool> IsOrphanAsync(IReadOnlyDictionary<string, string> labels, string name, CancellationToken cancellationToken)
    {
        if (KeyOf(labels) is not { } key)
        {
            return false;
        }

        Api.Replicas.Replica? replica;
        try
        {
            replica = await informers.ReplicaClient.GetAsync(key, cancellationToken);
        }
        catch (Exception failure) when (failure is Runtime.Clients.ApiException or HttpRequestException)
        {
            // Not known to be an orphan is not one; and the engine is fine, whatever the API server is.
            Log.ClaimUnknown(logger, failure, name, _hostName);
            return false;
        }

        // Two DockerHosts may be one engine: what is bound to the other host is that one's to look after.
        return replica is null
            || replica.Metadata.Uid != labels[Labels.ReplicaUid]
            || replica.Spec.HostName != labels.GetValueOrDefault(Labels.Host);
    }

    private static ObjectKey? KeyOf(IReadOnlyDictionary<string, string> labels) =>
        labels.TryGetValue(Labels.Namespace, out var @namespace) && labels.TryGetValue(Labels.Replica, out var name)
            ? new ObjectKey(@namespace, name)
            : null;

    /// <summary>Of several containers of one Replica, the one with its proper name: the next create would meet that one.</summary>
    private static ListedContainer Choose(IEnumerable<ListedContainer> same) =>
        same.OrderByDescending(container => container.Name == $"orc-{container.Labels.GetValueOrDefault(Labels.Namespace)}-{container.Labels.GetValueOrDefault(Labels.Replica)}")
            .ThenByDescending(container => container.State == ContainerState.Running)
            .ThenBy(container => container.Id, StringComparer.Ordinal)
            .First();

    private void StartRemoval(EngineSession session, ListedContainer container, RemovalReason reason)
    {
        lock (_leaving)
        {
            if (!_leaving.Add(container.Id))
            {
                return;
            }
        }

        Log.RemovingOrphan(logger, container.Name, _hostName, reason, container.Labels[Labels.ReplicaUid]);
        _ = RemoveAsync(session, container, reason);
    }

    private async Task RemoveAsync(EngineSession session, ListedContainer container, RemovalReason reason)
    {
        try
        {
            if (await session.Engine.InspectAsync(container.Id, session.Ended) is { } seen)
            {
                await work.StopAndRemoveAsync(session.Engine, seen, OrphanGrace, session.Ended);
                Tell(container, reason);
            }
        }
        catch (OperationCanceledException) when (session.Ended.IsCancellationRequested)
        {
            // The next session's look finds it again.
        }
        catch (Exception failure)
        {
            Log.OrphanStays(logger, failure, container.Name, _hostName);
        }
        finally
        {
            lock (_leaving)
            {
                _leaving.Remove(container.Id);
            }
        }
    }

    /// <summary>On the host: the Replica, if there was one, may be gone for long.</summary>
    private void Tell(ListedContainer container, RemovalReason reason)
    {
        var of = $"Replica {container.Labels.GetValueOrDefault(Labels.Namespace)}/{container.Labels.GetValueOrDefault(Labels.Replica)}";
        var (label, why) = reason switch
        {
            RemovalReason.Duplicate => ("duplicate", $"{of} has another container"),
            _ => ("replica_gone", $"{of} (uid {container.Labels[Labels.ReplicaUid]}) is gone or on another host"),
        };
        ReplicaMetrics.OrphansRemoved.WithLabels(_hostName, label).Inc();
        events.Record(host(), EventTypes.Normal, RemovedContainer, $"Removed container {container.Name}: {why}");
    }

    private enum RemovalReason
    {
        /// <summary>No Replica with the uid of its labels is bound to the host.</summary>
        ReplicaGone,

        /// <summary>Its Replica is there, and keeps another container.</summary>
        Duplicate,
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Removing container {Name} from host {Host}: no Replica claims it ({Reason}, uid {Uid})")]
        public static partial void RemovingOrphan(ILogger logger, string name, string host, RemovalReason reason, string uid);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Name} on host {Host} stays: the API server did not say whether a Replica claims it")]
        public static partial void ClaimUnknown(ILogger logger, Exception failure, string name, string host);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Container {Name} on host {Host} could not be removed; the next look tries again")]
        public static partial void OrphanStays(ILogger logger, Exception failure, string name, string host);
    }
}
