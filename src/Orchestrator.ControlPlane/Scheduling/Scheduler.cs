using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.Rebalancing;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Gives each unbound Replica, and each that is about to be created, a host and a port. Rounds, after swarmkit's scheduler: what comes within a few milliseconds is
/// decided together, from a table of hosts built whole; decisions are written in parallel while the next round may run already.
/// One that loses a race is simply undecided again. What fits nowhere is looked at again whenever something changed, or a refused port may be tried again.
/// </summary>
internal sealed partial class Scheduler : IPlacer, IDisposable
{
    /// <summary>Long enough to take the creates of one reconcile together, too short to be felt.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Cap = TimeSpan.FromMilliseconds(20);

    /// <summary>After the API server failed a write.</summary>
    private static readonly TimeSpan RetryAfterError = TimeSpan.FromSeconds(1);

    /// <summary>After a lost race: the winner's write has been read, this only keeps two schedulers from racing in a tight loop.</summary>
    private static readonly TimeSpan RetryAfterConflict = TimeSpan.FromMilliseconds(10);

    /// <summary>Writes under way at once.</summary>
    private const int Writers = 16;

    private const string Unbound = "unbound";

    private static readonly Dictionary<string, string> NoLabels = [];

    private readonly SharedInformers _informers;
    private readonly Binder _binder;
    private readonly IEventRecorder _events;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Debounce _changed;
    private readonly ITimer _retry;
    private readonly ITimer _portExpiry;
    private readonly ITimer _heldBackExpiry;
    private readonly RefusedPorts _refused;
    private readonly Assumptions _assumed = new();
    private readonly Newcomers _newcomers;
    private readonly GoneReplicas _gone;
    private readonly Preemptions _preemptions;
    private readonly Moves _moves;
    private readonly ConcurrentDictionary<string, long> _waitingSince = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _nextPort = new(StringComparer.Ordinal);

    /// <summary>Something waits that others may not be stopped for yet, for too few of theirs serve.</summary>
    private volatile bool _readinessMatters;

    public Scheduler(SharedInformers informers, Moves moves, IEventRecorder events, ILoggerFactory loggers, TimeProvider time)
    {
        _moves = moves;
        _informers = informers;
        _events = events;
        _time = time;
        _logger = loggers.CreateLogger<Scheduler>();
        _binder = new Binder(informers.Replicas, informers.ReplicaClient, time);
        _changed = new Debounce(Quiet, Cap, time);
        _newcomers = new Newcomers(_assumed, _changed.Signal);
        _retry = time.CreateTimer(_ => _changed.Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _portExpiry = time.CreateTimer(_ => _changed.Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _heldBackExpiry = time.CreateTimer(_ => _changed.Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _refused = new RefusedPorts(time);
        _gone = new GoneReplicas(informers.Replicas);
        _preemptions = new Preemptions(informers, events);
        informers.Replicas.AddIndex(Unbound, replica => IsWaiting(replica) ? [Unbound] : []);
        informers.Replicas.Subscribe(OnReplica);
        informers.Hosts.Subscribe(OnHost);
        informers.WebApps.Subscribe(change =>
        {
            // Labels too, by which others keep away from it.
            if (change is not { Old: { } old, New: { } now } || old.Metadata.Generation != now.Metadata.Generation || !SameLabels(old.Metadata.Labels, now.Metadata.Labels))
            {
                _changed.Signal();
            }
        });
    }

    /// <summary>Works until cancelled. The informers have synced.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _assumed.Clear();
        _gone.Clear();
        _preemptions.Clear();
        _newcomers.Open();
        _changed.Signal();

        // Bounded: a round waits when the writers are that far behind, and then decides by what is newer.
        var decisions = Channel.CreateBounded<Decision>(1024);
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => WriteAllAsync(decisions.Reader, cancellationToken)));
        try
        {
            while (true)
            {
                await _changed.WaitAsync(cancellationToken);
                foreach (var decision in DecideOrLog())
                {
                    _assumed.Add(decision);
                    await decisions.Writer.WriteAsync(decision, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // An orderly stop: what has not been written is decided anew by whoever comes next.
        }
        finally
        {
            _newcomers.Close();
            decisions.Writer.Complete();
            await writing;
        }
    }

    /// <inheritdoc/>
    public Task<Reservation> ReserveAsync(IReadOnlyList<Replica> wanted, CancellationToken cancellationToken) =>
        _newcomers.ReserveAsync(wanted, cancellationToken);

    public void Dispose()
    {
        _retry.Dispose();
        _portExpiry.Dispose();
        _heldBackExpiry.Dispose();
    }

    private static bool IsWaiting(Replica replica) => replica.Spec.HostName is null && replica.Metadata.DeletionTimestamp is null;

    /// <summary>A round that fails is tried again: without a scheduler nothing starts any more.</summary>
    private List<Decision> DecideOrLog()
    {
        var started = _time.GetTimestamp();
        var newcomers = _newcomers.TakeAll();
        var decisions = new List<Decision>();
        try
        {
            decisions = Decide([.. newcomers.SelectMany(request => request.Wanted)]);
        }
        catch (Exception failure)
        {
            SchedulingMetrics.Error.Inc();
            Log.RoundFailed(_logger, failure);
            _retry.Change(RetryAfterError, Timeout.InfiniteTimeSpan);
        }

        _newcomers.Answer(newcomers, decisions.Where(decision => Newcomers.Contain(decision.Replica)));
        decisions.RemoveAll(decision => Newcomers.Contain(decision.Replica));
        SchedulingMetrics.RoundDuration.Observe(_time.GetElapsedTime(started).TotalSeconds);
        return decisions;
    }

    private List<Decision> Decide(List<Replica> newcomers)
    {
        var waiting = _informers.Replicas.ByIndex(Unbound, Unbound);
        SchedulingMetrics.Waiting.Set(waiting.Count);
        if (waiting.Count + newcomers.Count == 0)
        {
            _readinessMatters = false;
            return [];
        }

        // In this order, and each once: a binding whose write ends in between is then seen as assumed or as bound, never as neither.
        var assumed = _assumed.Snapshot();
        var replicas = _informers.Replicas.Items;
        var bound = replicas.Values
            .Where(replica => replica.Spec.HostName is not null)
            .Select(replica => (replica, replica.Spec.HostName!, replica.Spec.HostPort))
            .Concat(assumed.Values.OfType<Placed>()
                .Where(placed => replicas.TryGetValue(ObjectKey.Of(placed.Replica), out var known) ? known.Spec.HostName is null : Newcomers.Contain(placed.Replica))
                .Select(placed => (placed.Replica, placed.Host, (int?)placed.Port)));
        var undecided = waiting
            .Select(replica => replicas.GetValueOrDefault(ObjectKey.Of(replica)))
            .OfType<Replica>()
            .Where(replica => IsWaiting(replica) && !assumed.ContainsKey(replica.Metadata.Uid) && !_gone.Contains(replica));
        var promised = assumed.Values.OfType<Unfit>()
            .Where(unfit => unfit.MakesRoom is not null && replicas.GetValueOrDefault(ObjectKey.Of(unfit.Replica)) is { Spec.HostName: null })
            .ToList();
        var now = _time.GetUtcNow();
        var input = new RoundInput(_informers.Hosts.Items.Values.Select(HostSnapshot.Of), bound, _refused.Current(), _informers.WebApps.Get)
        {
            Leaving = _preemptions.Uids().Concat(promised.SelectMany(unfit => unfit.MakesRoom!.Victims).Select(victim => victim.Metadata.Uid)).ToHashSet(),
            Now = now,
            Moving = _moves.Uids,
            Promised = [.. promised.Select(unfit => (unfit.Replica, unfit.MakesRoom!.Host))],
        };
        var round = new PlacementRound(input, _nextPort);
        var decisions = round.Place(undecided.Concat(newcomers)).ToList();
        _readinessMatters = round.DependsOnReadiness;
        if (decisions.Exists(decision => decision is Unfit) && _refused.NextExpiry() is { } expiry)
        {
            // No event tells that a port may be tried again.
            _portExpiry.Change(expiry, Timeout.InfiniteTimeSpan);
        }

        if (decisions.Exists(decision => decision is Unfit)
            && _informers.Hosts.Items.Values.Select(host => HostFlapping.HeldBackUntil(host.Status, now)).Min() is { } trusted)
        {
            // Nor that a host may be trusted again.
            _heldBackExpiry.Change(trusted - now.UtcDateTime, Timeout.InfiniteTimeSpan);
        }

        decisions.RemoveAll(decision => decision is Unfit { MakesRoom: null or { Victims: [] } } unfit && Binder.IsTold(unfit));
        return decisions;
    }

    private async Task WriteAllAsync(ChannelReader<Decision> decisions, CancellationToken cancellationToken)
    {
        await foreach (var decision in decisions.ReadAllAsync(CancellationToken.None))
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                await WriteAsync(decision, cancellationToken);
            }
        }
    }

    private async Task WriteAsync(Decision decision, CancellationToken cancellationToken)
    {
        var replica = decision.Replica;
        try
        {
            switch (decision)
            {
                case Placed placed:
                    await _binder.BindAsync(placed, cancellationToken);
                    SchedulingMetrics.Scheduled.Inc();
                    ObserveWait(replica);
                    break;
                case Unfit unfit:
                    await _preemptions.MakeAsync(unfit, cancellationToken);
                    if (Binder.IsTold(unfit))
                    {
                        break;
                    }

                    await _binder.ExplainAsync(unfit, cancellationToken);
                    SchedulingMetrics.Unschedulable.Inc();
                    _events.Record(replica, EventTypes.Warning, Binder.FailedScheduling, unfit.Message);
                    break;
            }
        }
        catch (Exception changed) when (changed is ConflictException or NotFoundException)
        {
            SchedulingMetrics.Conflict.Inc();
            await RereadAsync(replica, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The write may have arrived or not; the next leader reads which.
        }
        catch (Exception failure)
        {
            SchedulingMetrics.Error.Inc();
            Log.Failed(_logger, failure, replica.Metadata.NamespaceProperty, replica.Metadata.Name);
            _retry.Change(RetryAfterError, Timeout.InfiniteTimeSpan);
        }
        finally
        {
            _assumed.Remove(replica);
        }

        if (decision is Unfit)
        {
            // Rounds meanwhile have passed it over.
            _changed.Signal();
        }
    }

    /// <summary>
    /// It changed or went, and the cache may not know yet: deciding by the same form again would lose again. Does not throw: the
    /// writer has others to write.
    /// </summary>
    private async Task RereadAsync(Replica replica, CancellationToken cancellationToken)
    {
        try
        {
            if (await _informers.ReplicaClient.GetAsync(ObjectKey.Of(replica), cancellationToken) is { } current)
            {
                _informers.Replicas.Seed(current);
                _retry.Change(RetryAfterConflict, Timeout.InfiniteTimeSpan);
            }
            else
            {
                _gone.Add(replica);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The next leader reads for itself.
        }
        catch (Exception failure)
        {
            Log.Failed(_logger, failure, replica.Metadata.NamespaceProperty, replica.Metadata.Name);
            _retry.Change(RetryAfterError, Timeout.InfiniteTimeSpan);
        }
    }

    private void ObserveWait(Replica replica)
    {
        if (_waitingSince.TryRemove(replica.Metadata.Uid, out var since))
        {
            SchedulingMetrics.Duration.Observe(_time.GetElapsedTime(since).TotalSeconds);
        }
    }

    private void OnReplica(InformerEvent<Replica> change)
    {
        if (change.New is { } replica)
        {
            _refused.Learn(replica);
            if (IsWaiting(replica))
            {
                _waitingSince.TryAdd(replica.Metadata.Uid, _time.GetTimestamp());
            }
        }

        if (change is { New: null } or { Old.Spec.HostName: not null })
        {
            _waitingSince.TryRemove(change.Object.Metadata.Uid, out _);
        }

        // What a status says is no news here, but for whether it serves, where that is waited for.
        var matters = change.Old is null || change.New is null
            || change.Old.Spec.HostName != change.New.Spec.HostName
            || change.Old.Metadata.DeletionTimestamp != change.New.Metadata.DeletionTimestamp
            || (_readinessMatters && change.Old.Status?.Ready != change.New.Status?.Ready);
        if (matters)
        {
            _changed.Signal();
        }
    }

    private void OnHost(InformerEvent<DockerHost> change)
    {
        // Capacity may have changed with the status; allocated and replicas are our own writing, and images only a preference.
        var matters = change is not { Old: { } old, New: { } now }
            || old.Metadata.Generation != now.Metadata.Generation
            || old.Metadata.DeletionTimestamp != now.Metadata.DeletionTimestamp
            || HostHealth.IsReady(old) != HostHealth.IsReady(now)
            || !SameCapacity(old, now)
            || old.Status?.Architecture != now.Status?.Architecture
            || !SameLabels(old.Metadata.Labels, now.Metadata.Labels);
        if (matters)
        {
            _changed.Signal();
        }
    }

    private static bool SameCapacity(DockerHost old, DockerHost now) =>
        (HostSnapshot.Of(old) is var before) && (HostSnapshot.Of(now) is var after) && before.Cpu == after.Cpu && before.Memory == after.Memory;

    private static bool SameLabels(IDictionary<string, string>? old, IDictionary<string, string>? now) =>
        (old ?? NoLabels).OrderBy(label => label.Key, StringComparer.Ordinal).SequenceEqual((now ?? NoLabels).OrderBy(label => label.Key, StringComparer.Ordinal));

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "A scheduling round failed; it is tried again")]
        public static partial void RoundFailed(ILogger logger, Exception failure);

        [LoggerMessage(Level = LogLevel.Error, Message = "The decision about Replica {Namespace}/{Name} could not be written; it is decided anew")]
        public static partial void Failed(ILogger logger, Exception failure, string @namespace, string name);
    }
}
