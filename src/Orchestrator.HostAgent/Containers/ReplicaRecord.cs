using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Probing;
using Orchestrator.HostAgent.Status;
using Orchestrator.Runtime;

namespace Orchestrator.HostAgent.Containers;

/// <summary>
/// What the agent remembers of one Replica between reconciles. All of it can be found anew from the API and the engine; only
/// back-offs start over. Belongs to the reconcile of its key, but for the members that say otherwise.
/// </summary>
internal sealed class ReplicaRecord(ObjectKey key, string uid, ReplicaStatus? status, DateTimeOffset now) : IDisposable
{
    private volatile bool _stale = true;
    private volatile string? _listedId;
    private volatile ReportedEnd? _reportedEnd;

    public ObjectKey Key => key;

    public string Uid => uid;

    /// <summary>When this process first saw the Replica on this host.</summary>
    public DateTimeOffset Since => now;

    /// <summary>Until the first look, what an earlier agent wrote: a container that ran is taken to run, and is probed.</summary>
    public ContainerSnapshot? Container { get; set; } = Assumed(uid, status);

    /// <summary>The engine has been asked for it at least once.</summary>
    public bool IsLookedAt { get; set; }

    public RunHistory History { get; set; } = RunHistory.From(status);

    public Setback? Setback { get; set; }

    /// <summary>Why we are ending the run that runs; null if we are not.</summary>
    public (string Reason, string Message)? Kill
    {
        get;
        set => LastKill = (field = value) ?? LastKill;
    }

    /// <summary>Why we last ended a run.</summary>
    public (string Reason, string Message)? LastKill { get; private set; }

    public ReplicaProbes? Probes { get; set; }

    /// <summary>What the status says of them.</summary>
    public ProbeReport Report { get; } = new(status);

    /// <summary>
    /// The run that has had its postStart hook, by its container and start, and why that failed. What an earlier agent wrote down as
    /// running has had it.
    /// </summary>
    public (string ContainerId, DateTimeOffset? StartedAt, string? Failure)? PostStart { get; set; } =
        status is { Phase: ReplicaPhases.Running, ContainerId: { } written, StartedAt: { } at }
            ? (written, new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc)), null)
            : null;

    /// <summary>The run that runs is still to have its postStart hook, if its template has one.</summary>
    public bool PostStartDue => Container is { State: ContainerState.Running or ContainerState.Paused } && !HasHadPostStart;

    /// <summary>Why the postStart hook of the run that runs failed; null if it did not.</summary>
    public string? PostStartFailure => Container is { IsRunning: true } && HasHadPostStart ? PostStart?.Failure : null;

    /// <summary>Why the run that runs must be ended and the container started anew; null if it need not.</summary>
    public (string Reason, string Message)? RestartCause => PostStartFailure is { } why ? (ReplicaReasons.PostStartHookError, $"postStart hook failed: {why}") : Probes switch
    {
        { Startup: { Failed: true } startup } => (ReplicaReasons.StartupProbeFailed, $"startup probe failed: {startup.Message}"),
        { Liveness: { Passing: false } liveness } => (ReplicaReasons.LivenessProbeFailed, $"liveness probe failed: {liveness.Message}"),
        _ => null,
    };

    public Operation? Operation { get; set; }

    /// <summary>Requests may be in flight to it. In doubt it was: the wait for the proxies is short when they have none.</summary>
    public bool EverReady { get; set; } = WasEverReady(status);

    /// <summary>When this process first saw that the Replica is being deleted; null while it is not.</summary>
    public DateTimeOffset? SeenLeaving { get; set; }

    /// <summary>A create was sent: whatever came of it, there may be a container of its name.</summary>
    public bool MayExist { get; set; }

    public bool UnhealthyTold { get; set; }

    /// <summary>What the engine has is not known to be what is remembered. Set by whoever hears of a change.</summary>
    public bool IsStale => _stale || Look is not null;

    /// <summary>The question to the engine that has no answer yet.</summary>
    public Task<ContainerLook>? Look { get; set; }

    /// <summary>The container's id as a look at the whole engine found it; null when it found none.</summary>
    public string? ListedId => _listedId;

    public void Invalidate() => _stale = true;

    /// <summary>To be called before the engine is asked: a change during the question makes it stale again.</summary>
    public void BeginLook() => _stale = false;

    public void Listed(string? id) => _listedId = id;

    /// <summary>The last end that an event told of; null: none did. Set by whoever hears of it.</summary>
    public ReportedEnd? ReportedEnd
    {
        get => _reportedEnd;
        set => _reportedEnd = value;
    }

    /// <summary>The run that was seen last has ended since.</summary>
    public bool HasReportedEnd => ReportedEnd is { } end && end.At >= Container?.StartedAt;

    public void Dispose()
    {
        Probes?.Dispose();
        Operation?.Cancel();
    }

    private bool HasHadPostStart => PostStart is { } had && had.ContainerId == Container?.Id && had.StartedAt == Container?.StartedAt;

    private static ContainerSnapshot? Assumed(string uid, ReplicaStatus? status) =>
        status is { Phase: ReplicaPhases.Running, ContainerId: { } id, StartedAt: { } started }
            ? new ContainerSnapshot(
                id,
                "",
                new Dictionary<string, string>(),
                uid,
                ContainerState.Running,
                RestartsAlways: true,
                new DateTimeOffset(DateTime.SpecifyKind(started, DateTimeKind.Utc)),
                FinishedAt: null,
                ExitCode: 0,
                OutOfMemory: false,
                RestartCount: 0)
            : null;

    private static bool WasEverReady(ReplicaStatus? status) =>
        status is not null
        && (status.Ready || Api.Conditions.Find(status.Conditions, Api.ConditionTypes.Ready) is { Reason: not ReplicaReasons.NotYetReady });
}
