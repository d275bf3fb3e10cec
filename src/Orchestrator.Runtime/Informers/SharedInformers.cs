using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Runtime.Informers;

/// <summary>
/// The informers of one process, one a kind, shared by all its parts with the clients they read through. A part adds its
/// subscribers before <see cref="RunAsync"/> and starts its work after <see cref="WaitForSyncAsync"/>.
/// </summary>
public sealed class SharedInformers
{
    public SharedInformers(IKubernetes kubernetes, string fieldManager, ILoggerFactory loggers, TimeProvider time)
    {
        var logger = loggers.CreateLogger<SharedInformers>();
        WebAppClient = new(kubernetes, fieldManager);
        ReplicaClient = new(kubernetes, fieldManager);
        HostClient = new(kubernetes, fieldManager);
        LeaseClient = new(kubernetes, fieldManager);
        WebApps = new(WebAppClient, labelSelector: null, logger, time);
        Replicas = new(ReplicaClient, labelSelector: null, logger, time);
        Hosts = new(HostClient, labelSelector: null, logger, time);
        ProxyLeases = new(LeaseClient, $"{Labels.Component}={Labels.ProxyComponent}", logger, time, ApiGroup.SystemNamespace);
        ConfigMaps = new(ContentMetadata.OfConfigMaps(kubernetes), labelSelector: null, logger, time);
        Secrets = new(ContentMetadata.OfSecrets(kubernetes), labelSelector: null, logger, time);
        Replicas.AddIndex(ReplicaIndexes.ByApp, replica => [ReplicaIndexes.AppKey(replica.Metadata.NamespaceProperty, replica.Spec.AppName)]);
        Replicas.AddIndex(ReplicaIndexes.ByHost, replica => replica.Spec.HostName is { } host ? [host] : []);
    }

    public ResourceClient<WebApp> WebAppClient { get; }

    public ResourceClient<Replica> ReplicaClient { get; }

    public ResourceClient<DockerHost> HostClient { get; }

    public ResourceClient<V1Lease> LeaseClient { get; }

    public Informer<WebApp> WebApps { get; }

    /// <summary>Indexed by <see cref="ReplicaIndexes"/>.</summary>
    public Informer<Replica> Replicas { get; }

    public Informer<DockerHost> Hosts { get; }

    /// <summary>One Lease for each live proxy; see <see cref="Annotations.Drained"/>.</summary>
    public Informer<V1Lease> ProxyLeases { get; }

    /// <summary>Their names, versions and owners alone (<see cref="ContentMetadata"/>): enough to notice a change.</summary>
    public Informer<V1ConfigMap> ConfigMaps { get; }

    /// <inheritdoc cref="ConfigMaps"/>
    public Informer<V1Secret> Secrets { get; }

    /// <summary>Lists and watches until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(
        WebApps.RunAsync(cancellationToken),
        Replicas.RunAsync(cancellationToken),
        Hosts.RunAsync(cancellationToken),
        ProxyLeases.RunAsync(cancellationToken),
        ConfigMaps.RunAsync(cancellationToken),
        Secrets.RunAsync(cancellationToken));

    /// <summary>Completes when every kind has been listed once.</summary>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.WhenAll(
        WebApps.WaitForSyncAsync(cancellationToken),
        Replicas.WaitForSyncAsync(cancellationToken),
        Hosts.WaitForSyncAsync(cancellationToken),
        ProxyLeases.WaitForSyncAsync(cancellationToken),
        ConfigMaps.WaitForSyncAsync(cancellationToken),
        Secrets.WaitForSyncAsync(cancellationToken));
}

/// <summary>Indexes of <see cref="SharedInformers.Replicas"/>.</summary>
public static class ReplicaIndexes
{
    /// <summary>Values are <see cref="AppKey"/>s.</summary>
    public const string ByApp = "app";

    /// <summary>Values are names of DockerHosts; a Replica that is not bound has none.</summary>
    public const string ByHost = "host";

    public static string AppKey(string @namespace, string app) => $"{@namespace}/{app}";
}
