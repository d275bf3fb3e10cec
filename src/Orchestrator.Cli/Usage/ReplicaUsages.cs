using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Logs;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Usage;

namespace Orchestrator.Cli.Usage;

/// <summary>
/// Measures replicas on the engines of their hosts, all hosts side by side. A host that does not answer makes its own replicas
/// unknown, and nothing else.
/// </summary>
internal sealed class ReplicaUsages(Session session)
{
    /// <summary>
    /// What one host gets to answer. A hundred containers take 3 s on an engine before 25; who waits at a terminal should not wait
    /// much longer for one that is silent.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What it gets beside that for each container, by ssh: 24 are read at a time there, each twice, a second each on such an engine.</summary>
    private static readonly TimeSpan MorePatienceBySsh = TimeSpan.FromMilliseconds(100);

    /// <summary>Each host takes connections of its own, and a client has so many files open at most.</summary>
    private const int HostsAtOnce = 16;

    public async Task<IReadOnlyList<MeasuredReplica>> ReadAsync(IReadOnlyCollection<Replica> replicas, CancellationToken cancellationToken)
    {
        if (!replicas.Any(ReplicaLog.HasContainer))
        {
            return await ReadAsync(replicas, [], cancellationToken);
        }

        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, DockerHost.KubeKind, cancellationToken);
        return await ReadAsync(
            replicas, await ListScope.ReadAllAsync<DockerHost>(session.Api, new ListScope(kind, null, null, null, null), cancellationToken), cancellationToken);
    }

    /// <param name="hosts">At least those that the replicas are bound to, if they are there.</param>
    /// <returns>One for each replica, in no order.</returns>
    public async Task<IReadOnlyList<MeasuredReplica>> ReadAsync(
        IReadOnlyCollection<Replica> replicas, IReadOnlyCollection<DockerHost> hosts, CancellationToken cancellationToken)
    {
        using var usage = new HostUsage(session.Api.Client, session.Time);
        var known = hosts.ToDictionary(host => host.Metadata.Name);
        var measured = new List<MeasuredReplica>(replicas.Where(replica => !ReplicaLog.HasContainer(replica)).Select(WithoutContainer));
        await Parallel.ForEachAsync(
            replicas.Where(ReplicaLog.HasContainer).GroupBy(replica => replica.Spec.HostName!),
            new ParallelOptions { MaxDegreeOfParallelism = HostsAtOnce, CancellationToken = cancellationToken },
            async (bound, token) =>
            {
                var found = known.TryGetValue(bound.Key, out var host)
                    ? await MeasureAsync(usage, host, [.. bound], token)
                    : Unknown(bound, $"there is no host {bound.Key}");
                lock (measured)
                {
                    measured.AddRange(found);
                }
            });
        return measured;
    }

    /// <returns>Why a host is not asked: its agent knows already that it would not answer. Null when there is no reason.</returns>
    public static string? Problem(DockerHost host) =>
        Conditions.Find(host.Status?.Conditions, ConditionTypes.Ready) is { Status: not Conditions.True } ready
            ? $"{host.Metadata.Name} is not ready: {(string.IsNullOrEmpty(ready.Message) ? ready.Reason : ready.Message)}"
            : null;

    private async Task<IEnumerable<MeasuredReplica>> MeasureAsync(
        HostUsage usage, DockerHost host, IReadOnlyList<Replica> bound, CancellationToken cancellationToken)
    {
        if (Problem(host) is { } problem)
        {
            return Unknown(bound, problem);
        }

        var patience = Patience + (host.Spec.Endpoint.StartsWith("ssh://", StringComparison.Ordinal) ? MorePatienceBySsh * bound.Count : TimeSpan.Zero);
        using var limit = new CancellationTokenSource(patience, session.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var found = await usage.ReadAsync(host, [.. bound.Select(replica => replica.Status!.ContainerId!)], linked.Token);
            return bound.Select(replica => new MeasuredReplica(replica, found[replica.Status!.ContainerId!]));
        }
        catch (EngineException failure)
        {
            return Unknown(bound, $"{host.Metadata.Name}: {failure.Message}");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return Unknown(bound, $"{host.Metadata.Name} did not answer within {patience.TotalSeconds:0} s");
        }
    }

    private static IEnumerable<MeasuredReplica> Unknown(IEnumerable<Replica> replicas, string problem) =>
        replicas.Select(replica => new MeasuredReplica(replica, ContainerUsage.Unknown(problem)));

    private static MeasuredReplica WithoutContainer(Replica replica) =>
        new(replica, ContainerUsage.Unknown($"it has no container yet ({replica.Status?.Phase ?? ReplicaPhases.Pending})"));
}
