using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Draining;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.HostAgent.Status;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.HostAgent.Containers;

/// <summary>
/// Moves one Replica of a host a step on: reads what is, lets the planner decide, starts what takes long in the background, and
/// writes the status if it changed. Never called twice at once for one key.
/// </summary>
internal sealed partial class ReplicaReconciler(
    SharedInformers informers,
    IHostView host,
    OperationLauncher operations,
    ProbeKeeper probes,
    ProxyAcknowledgements acknowledgements,
    WorkQueue<ObjectKey> queue,
    IEventRecorder events,
    ILogger logger,
    SteadyClock clock,
    TimeProvider time) : IDisposable
{
    /// <summary>
    /// A write saved: that a start is under way is told only once it takes longer than starts do, that a container runs and is
    /// not ready only once its first probes had their chance.
    /// </summary>
    private static readonly TimeSpan TellStarting = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TellUnready = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// What a reconcile waits for the engine's answer, which takes 0.3 ms: an engine that has none for half a minute, and yet answers
    /// pings, must not keep it a secret for as long that a replica has become unready.
    /// </summary>
    private static readonly TimeSpan LookPatience = TimeSpan.FromSeconds(1);

    /// <summary>After an engine says that something is being done already.</summary>
    private static readonly TimeSpan Busy = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<ObjectKey, ReplicaRecord> _records = new();
    private volatile IReadOnlyDictionary<string, ListedContainer> _listing = new Dictionary<string, ListedContainer>();

    /// <summary>Completes when nothing is under way any more. To be called once no reconcile runs and the session has ended.</summary>
    public Task QuiesceAsync() => Task.WhenAll(_records.Values.Select(record => record.Operation?.Completion ?? Task.CompletedTask));

    /// <summary>What a look at the whole engine has found, by the uid of the Replica. Records of what differs become stale.</summary>
    /// <param name="all">Nothing that is remembered is to be trusted: changes may have been missed.</param>
    public void TakeListing(IReadOnlyDictionary<string, ListedContainer> listing, bool all)
    {
        _listing = listing;
        foreach (var record in _records.Values)
        {
            var listed = listing.GetValueOrDefault(record.Uid);
            record.Listed(listed?.Id);
            if (all || record.Container?.Id != listed?.Id || (listed is not null && record.Container?.State != listed.State))
            {
                record.Invalidate();
                queue.Add(record.Key);
            }
        }
    }

    /// <summary>Something happened to a container of the Replica.</summary>
    public void TakeEvent(ObjectKey key, string replicaUid, EngineEvent happened)
    {
        if (!_records.TryGetValue(key, out var record) || record.Uid != replicaUid)
        {
            return;
        }

        if (happened is { Action: "die", ExitCode: { } exitCode })
        {
            record.ReportedEnd = new(exitCode, happened.At);
        }

        record.Invalidate();
        queue.Add(key);
    }

    public void Dispose()
    {
        foreach (var record in _records.Values)
        {
            record.Dispose();
        }
    }

    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var replica = informers.Replicas.Get(key);
        if (replica?.Spec is not { HostName: { } hostName, HostPort: not null } || hostName != host.Host.Metadata.Name)
        {
            Drop(key);
            return ReconcileResult.Done;
        }

        var record = RecordOf(key, replica);
        TakeOutcome(record, replica);
        var session = host.Session;
        if (session is not null && record.IsStale && record.Operation is null)
        {
            await LookAsync(record, replica, session, cancellationToken);
        }

        var now = clock.Now;
        record.SeenLeaving ??= replica.Metadata.DeletionTimestamp is null ? null : now;
        var drainCheckAt = record is { EverReady: true, SeenLeaving: { } leaving } ? acknowledgements.CheckAt(replica, leaving) : null;
        probes.Keep(record, replica, host.Host, now);
        var reportAt = record.Report.Take(record.Probes, record.Container, now, time.GetUtcNow());
        var plan = Plan(record, replica, drainCheckAt, session, now);
        if (plan.Step == ContainerStep.Release)
        {
            await ReleaseAsync(replica, cancellationToken);
            return ReconcileResult.Done;
        }

        if (plan.Step != ContainerStep.Wait)
        {
            operations.Launch(plan.Step, record, replica, host.Host, session!);
        }

        var hold = await WriteStatusAsync(record, replica, drainCheckAt, now, cancellationToken);
        return Earliest.Of(Earliest.Of(plan.LookAgainAt, hold), reportAt) is { } next ? ReconcileResult.After(Positive(next - now)) : ReconcileResult.Done;
    }

    private ReplicaRecord RecordOf(ObjectKey key, Replica replica)
    {
        if (_records.TryGetValue(key, out var record) && record.Uid == replica.Metadata.Uid)
        {
            return record;
        }

        Drop(key);
        record = new ReplicaRecord(key, replica.Metadata.Uid, replica.Status, clock.Now);
        record.Listed(_listing.GetValueOrDefault(record.Uid)?.Id);
        _records[key] = record;
        return record;
    }

    private void Drop(ObjectKey key)
    {
        if (_records.TryRemove(key, out var record))
        {
            record.Dispose();
            if (record.Container is not null || record.Operation is not null)
            {
                // Nobody claims it any more.
                host.RequestLook();
            }
        }
    }

    private async Task LookAsync(ReplicaRecord record, Replica replica, EngineSession session, CancellationToken cancellationToken)
    {
        if (record.Look is null)
        {
            record.BeginLook();
            record.Look = ContainerLook.AskAsync(record, replica, session);
        }

        if (!record.Look.IsCompleted)
        {
            await Task.WhenAny(record.Look, Task.Delay(LookPatience, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (!record.Look.IsCompleted)
        {
            return;
        }

        var look = record.Look;
        record.Look = null;
        try
        {
            var (seen, lastWords) = await look;
            Take(record, replica, seen, lastWords);
        }
        catch (Exception failure)
        {
            record.Invalidate();

            // The way to the engine is the link's to mend; it looks everything over when it has. There may be another session by now than
            // the one in which it was asked.
            var lost = failure is EngineException { IsTransport: true }
                || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);
            if (!lost)
            {
                throw;
            }
        }
    }

    private void Take(ReplicaRecord record, Replica replica, ContainerSnapshot? seen, string? lastWords = null)
    {
        record.Container = seen;
        record.IsLookedAt = true;
        if (seen is null)
        {
            return;
        }

        var before = record.History;
        record.History = before.Observe(seen, record.Kill?.Reason, record.ReportedEnd, clock.Now);
        if (record.History.Ended != before.Ended)
        {
            record.Kill = null;
            record.History = record.History.WithLastWords(lastWords);
        }

        if (record.History.Restarts > before.Restarts)
        {
            ReplicaMetrics.Restarts.WithLabels(replica.Metadata.NamespaceProperty, replica.Spec.AppName).Inc(record.History.Restarts - before.Restarts);
        }
    }

    private void TakeOutcome(ReplicaRecord record, Replica replica)
    {
        if (record.Operation?.Outcome is not { } outcome)
        {
            return;
        }

        record.Operation.Dispose();
        record.Operation = null;
        if (outcome.PostStart is { } hook && record.Container is { } hooked)
        {
            record.PostStart = (hooked.Id, hooked.StartedAt, hook.Failure);
        }

        // Of one that has ended a look tells more: its last words.
        if (outcome is { Looked: true, Seen: not { HasEnded: true } })
        {
            Take(record, replica, outcome.Seen);
        }
        else
        {
            record.Invalidate();
        }

        if (outcome.Failure is not { } failure)
        {
            record.Setback = null;
            return;
        }

        record.Setback = Setback.After(record.Setback, failure.Reason, failure.Message, clock.Now);
        events.Record(replica, EventTypes.Warning, record.Setback.Count == 1 ? "Failed" : "BackOff", $"{failure.Reason}: {failure.Message}");
    }

    private ContainerPlan Plan(ReplicaRecord record, Replica replica, DateTimeOffset? drainCheckAt, EngineSession? session, DateTimeOffset now)
    {
        var deleting = replica.Metadata.DeletionTimestamp is not null;
        if (record.Operation is { } operation)
        {
            // A pull may take minutes, and is for nothing now; so is the start that ends a restart, and a hook of a run that is to go.
            // A hook is for the run that it began in.
            if ((deleting && operation.Step is ContainerStep.Create or ContainerStep.Restart or ContainerStep.PostStart)
                || (operation.Step == ContainerStep.PostStart && record.HasReportedEnd))
            {
                operation.Cancel();
            }

            return ContainerPlan.Until(null);
        }

        if (session is null || record.IsStale)
        {
            return ContainerPlan.Until(session is null ? drainCheckAt : now + Busy);
        }

        if (record.Container is { IsRunning: true } && record.History is { ShortRuns: > 0, StableAt: { } stable } && stable <= now)
        {
            record.History = record.History.Stable();
        }

        var setback = record.Setback;
        var current = record.Container?.Labels.GetValueOrDefault(ContainerBody.SpecLabel) == ContainerBody.SpecOf(replica, host.Host);
        var mended = setback?.Reason == ReplicaReasons.PublishAddressUnavailable && !current;
        return ContainerPlanner.Next(
            new ContainerSituation(
                record.Container,
                current,
                mended,
                record.History,
                deleting,
                drainCheckAt,

                // What failed before says nothing about a removal, nor about a start at another address.
                (deleting || mended) && setback?.Reason != ReplicaReasons.RemoveContainerError ? null : setback?.NotBefore,
                PostStartDue: replica.Spec.Template.Lifecycle?.PostStart is not null && record.PostStartDue,
                RestartWanted: record.RestartCause is not null),
            now);
    }

    /// <returns>When to come again because a write was held back; null when it was not.</returns>
    private async Task<DateTimeOffset?> WriteStatusAsync(
        ReplicaRecord record, Replica replica, DateTimeOffset? drainCheckAt, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (host.IsSilent && replica is { Metadata.DeletionTimestamp: null, Status: { } known })
        {
            await PatchStatusAsync(record, replica, ReplicaStatusBuilder.OfSilentHost(replica, known, time.GetUtcNow()), cancellationToken);
            return null;
        }

        if (!record.IsLookedAt && record.Container is null && replica.Metadata.DeletionTimestamp is null
            && (host.Problem is null || replica.Status?.ContainerId is not null))
        {
            // Nothing is known yet that is better than what is written.
            return null;
        }

        var status = ReplicaStatusBuilder.Build(replica, record, host.Host, drainCheckAt, host.Problem, time.GetUtcNow());
        if (!status.Ready && replica.Status is not { Ready: true } && status.Reason is null && replica.Metadata.DeletionTimestamp is null)
        {
            var hold = status.Phase == ReplicaPhases.Starting ? record.Since + TellStarting
                : status.Phase == ReplicaPhases.Running && record.Probes is { Readiness.Looks: < 3 } ? record.History.RunSeenAt + TellUnready
                : null;
            if (hold > now)
            {
                return hold;
            }
        }

        await PatchStatusAsync(record, replica, status, cancellationToken);
        return null;
    }

    private async Task PatchStatusAsync(ReplicaRecord record, Replica replica, ReplicaStatus status, CancellationToken cancellationToken)
    {
        if (MergePatch.Between(replica.Status, status) is not { } patch)
        {
            return;
        }

        try
        {
            var written = await informers.ReplicaClient.MergePatchStatusAsync(
                record.Key,
                new System.Text.Json.Nodes.JsonObject { ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["uid"] = record.Uid }, ["status"] = patch },
                cancellationToken);
            informers.Replicas.Seed(written);
        }
        catch (NotFoundException)
        {
            // Gone meanwhile; its event is on the way.
        }
    }

    private async Task ReleaseAsync(Replica replica, CancellationToken cancellationToken)
    {
        if (replica.Metadata.Finalizers?.Contains(Finalizers.Container) != true)
        {
            return;
        }

        try
        {
            await ReplicaFinalizer.RemoveAsync(informers, replica, cancellationToken);
            Log.Released(logger, replica.Metadata.NamespaceProperty, replica.Metadata.Name);
        }
        catch (NotFoundException)
        {
            // Somebody has forced it away.
        }
    }

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.FromMilliseconds(1);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "Replica {Namespace}/{Name} has no container any more and is let go")]
        public static partial void Released(ILogger logger, string @namespace, string name);
    }
}
