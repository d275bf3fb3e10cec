using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Logs;
using Orchestrator.HostAgent.Engines;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Waiting;

/// <summary>Tells of a rollout that failed: why, and what its replicas wrote last, as far as they are still there.</summary>
internal sealed class FailedRollout(Session session)
{
    private const int MaxReplicas = 3;
    private const int LinesPerReplica = 10;

    /// <summary>For all that the replicas wrote: an engine that is silent is not to hold up the news.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Writes the last lines of the replicas.</summary>
    /// <returns>What the command is to end with.</returns>
    public async Task<CommandException> TellAsync(Awaited app, Readiness seen, CancellationToken cancellationToken)
    {
        foreach (var (replica, lines) in await LastLinesAsync(app, seen.FailedRevision!, cancellationToken))
        {
            foreach (var line in lines)
            {
                session.Terminal.Note($"{replica} | {line}");
            }
        }

        return new(ExitCodes.RolloutFailed, $"{app}: {seen.Message}");
    }

    private async Task<IReadOnlyList<(string Replica, List<string> Lines)>> LastLinesAsync(Awaited app, string revision, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, session.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var found = new List<(string Replica, List<string> Lines)>();
        try
        {
            var reads = new List<Task>();
            foreach (var replica in await FailedAsync(app, revision, either.Token))
            {
                found.Add((replica.Metadata.Name, []));
                reads.Add(ReadAsync(replica, found[^1].Lines, either.Token));
            }

            await Task.WhenAll(reads);
        }
        catch (Exception failure) when (IsNoMatter(failure, cancellationToken))
        {
            // The rollout's own message has the last words too.
        }

        return found;
    }

    private async Task<IEnumerable<Replica>> FailedAsync(Awaited app, string revision, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, Replica.KubeKind, cancellationToken);
        var scope = new ListScope(kind, app.Namespace, null, $"{Labels.App}={app.Name},{Labels.Revision}={revision}", null);
        var replicas = await ListScope.ReadAllAsync<Replica>(session.Api, scope, cancellationToken);
        return replicas.Where(replica => ReplicaLog.HasContainer(replica) && !replica.Status!.Ready).Take(MaxReplicas);
    }

    private async Task ReadAsync(Replica replica, List<string> lines, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var line in new ReplicaLog(session).ReadAsync(replica, new(Follow: false, LinesPerReplica, Since: null), cancellationToken))
            {
                lines.Add(line.Text);
            }
        }
        catch (Exception failure) when (IsNoMatter(failure, CancellationToken.None))
        {
            // The others' lines are worth as much without these.
        }
    }

    private static bool IsNoMatter(Exception failure, CancellationToken cancellationToken) => failure is ApiException or CommandException or EngineException
        || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
