using k8s;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Commands;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Logs;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Logs;

/// <summary>Reads what one replica writes, from the engine of its host.</summary>
internal sealed class ReplicaLog(Session session)
{
    private readonly ContainerLogs _logs = new(session.Api.Client, session.Time);

    /// <exception cref="EngineException">The engine or the container cannot be reached, or no longer.</exception>
    /// <exception cref="ApiException">Its host cannot be read.</exception>
    public async IAsyncEnumerable<LogLine> ReadAsync(
        Replica replica, LogRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var hosts = await session.Kinds.FindAsync(ApiGroup.GroupVersion, DockerHost.KubeKind, cancellationToken);
        var found = await session.Api.GetAsync(hosts.Path(null, replica.Spec.HostName), cancellationToken);
        var host = KubernetesJson.Deserialize<DockerHost>(found.ToJsonString());
        await foreach (var line in _logs.ReadAsync(host, replica.Status!.ContainerId!, request, cancellationToken))
        {
            yield return line;
        }
    }

    public static bool HasContainer(Replica replica) => replica is { Spec.HostName: not null, Status.ContainerId.Length: > 0 };
}
