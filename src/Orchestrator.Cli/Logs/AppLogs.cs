using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Logs;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Logs;

/// <summary>The logs of an app's replicas as one. Read once they are merged by time; followed, they come as they are written.</summary>
internal sealed class AppLogs(Session session, string? labels, string? name)
{
    /// <summary>Lines read ahead of the terminal. When full, the readers wait, and the engines with them.</summary>
    private const int ReadAhead = 1000;

    /// <summary>Between two tries for a container that has stopped and may start again.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly ReplicaLog _log = new(session);

    public async Task<int> ReadAsync(LogRequest request, Action<string, LogLine> write, CancellationToken cancellationToken)
    {
        var failed = 0;
        var next = new PriorityQueue<(string Replica, IAsyncEnumerator<LogLine> Lines), DateTimeOffset>();
        var open = new List<IAsyncEnumerator<LogLine>>();
        try
        {
            foreach (var replica in (await ListAsync(cancellationToken)).Where(ReplicaLog.HasContainer))
            {
                var lines = _log.ReadAsync(replica, request, cancellationToken).GetAsyncEnumerator(cancellationToken);
                open.Add(lines);
                await AdvanceAsync(replica.Metadata.Name, lines);
            }

            while (next.TryDequeue(out var first, out _))
            {
                write(first.Replica, first.Lines.Current);
                await AdvanceAsync(first.Replica, first.Lines);
            }
        }
        finally
        {
            foreach (var lines in open)
            {
                await lines.DisposeAsync();
            }
        }

        if (open.Count == 0)
        {
            session.Terminal.Note("No replica has a container yet.");
        }

        return failed == 0 ? ExitCodes.Done : ExitCodes.Failed;

        async Task AdvanceAsync(string replica, IAsyncEnumerator<LogLine> lines)
        {
            try
            {
                if (await lines.MoveNextAsync())
                {
                    next.Enqueue((replica, lines), lines.Current.Time ?? DateTimeOffset.MinValue);
                }
            }
            catch (Exception failure) when (failure is EngineException or ApiException)
            {
                failed++;
                session.Terminal.Fail($"{replica}: {failure.Message}");
            }
        }
    }

    /// <summary>Until cancelled, or the one replica that is followed has gone.</summary>
    public async Task<int> FollowAsync(LogRequest request, Action<string, LogLine> write, CancellationToken cancellationToken)
    {
        var lines = Channel.CreateBounded<(string Replica, LogLine Line)>(new BoundedChannelOptions(ReadAhead) { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var discovering = Task.Run(async () =>
        {
            try
            {
                await DiscoverAsync(request, lines.Writer, stop.Token);
                lines.Writer.Complete();
            }
            catch (Exception failure)
            {
                lines.Writer.Complete(failure);
            }
        }, CancellationToken.None);
        try
        {
            await foreach (var (replica, line) in lines.Reader.ReadAllAsync(cancellationToken))
            {
                write(replica, line);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await discovering;
        }

        return ExitCodes.Done;
    }

    /// <summary>Follows each replica that there is or that comes, for as long as it is there.</summary>
    private async Task DiscoverAsync(LogRequest request, ChannelWriter<(string, LogLine)> lines, CancellationToken cancellationToken)
    {
        var followed = new Dictionary<string, (Task Work, CancellationTokenSource Stop)>();
        try
        {
            await foreach (var (type, obj) in Watching.FollowAsync(session, await ScopeAsync(cancellationToken), ApiConnection.Json, cancellationToken))
            {
                foreach (var replica in type == Watching.ListType ? Parse(obj) : [KubernetesJson.Deserialize<Replica>(obj.ToJsonString())])
                {
                    var uid = replica.Metadata.Uid;
                    if (type == "DELETED")
                    {
                        if (followed.Remove(uid, out var gone))
                        {
                            // What the engine still delivers of it ends by itself, with the container.
                            gone.Stop.CancelAfter(RetryPause);
                            await gone.Work;
                            gone.Stop.Dispose();
                        }

                        if (name is not null)
                        {
                            return;
                        }
                    }
                    else if (ReplicaLog.HasContainer(replica) && !followed.ContainsKey(uid))
                    {
                        var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                        followed[uid] = (Task.Run(() => FollowOneAsync(replica, request, lines, end.Token), CancellationToken.None), end);
                    }
                }
            }
        }
        finally
        {
            foreach (var (work, stop) in followed.Values)
            {
                await stop.CancelAsync();
                await work;
                stop.Dispose();
            }
        }
    }

    private async Task FollowOneAsync(Replica replica, LogRequest request, ChannelWriter<(string, LogLine)> lines, CancellationToken cancellationToken)
    {
        var told = "";
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var line in _log.ReadAsync(replica, request, cancellationToken))
                {
                    // From here on only what is new, should the stream break.
                    request = request with { Tail = null, Since = line.Time ?? request.Since };
                    await lines.WriteAsync((replica.Metadata.Name, line), cancellationToken);
                }

                await Task.Delay(RetryPause, session.Time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is EngineException or ApiException or CommandException)
            {
                if (failure.Message != told)
                {
                    session.Terminal.Warn($"{replica.Metadata.Name}: {told = failure.Message}");
                }

                await Task.Delay(RetryPause, session.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<List<Replica>> ListAsync(CancellationToken cancellationToken) =>
        await ListScope.ReadAllAsync<Replica>(session.Api, await ScopeAsync(cancellationToken), cancellationToken);

    private async Task<ListScope> ScopeAsync(CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, Replica.KubeKind, cancellationToken);
        return new ListScope(kind, session.Namespace, name, labels, null);
    }

    private static IEnumerable<Replica> Parse(JsonObject list) =>
        (list["items"] as JsonArray ?? []).Select(item => KubernetesJson.Deserialize<Replica>(item!.ToJsonString()));
}
