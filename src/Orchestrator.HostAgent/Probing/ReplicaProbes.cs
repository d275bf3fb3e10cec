using Orchestrator.HostAgent.Containers;

namespace Orchestrator.HostAgent.Probing;

/// <summary>The probes of one run of a container, at one address. Until it has started, the others are not made.</summary>
internal sealed class ReplicaProbes : IDisposable
{
    private readonly ContainerSnapshot _run;
    private readonly ProbeTarget _target;
    private readonly ContainerProbe? _startup;
    private readonly ContainerProbe _readiness;
    private readonly ContainerProbe? _liveness;
    private readonly TimeSpan _ranFor;
    private readonly Action _onVerdict;
    private readonly TimeProvider _time;
    private readonly long _began;

    /// <param name="make">A probe of a kind, that tells by the action; null if it is not asked for.</param>
    /// <param name="onVerdict">Called when what there is to tell has changed; also from within this constructor.</param>
    public ReplicaProbes(
        ContainerSnapshot run, ProbeTarget target, Func<ProbeKind, Action, ContainerProbe?> make, TimeSpan ranFor, Action onVerdict, TimeProvider time)
    {
        _run = run;
        _target = target;
        _ranFor = ranFor;
        _onVerdict = onVerdict;
        _time = time;
        _began = time.GetTimestamp();
        _readiness = make(ProbeKind.Readiness, onVerdict)!;
        _liveness = make(ProbeKind.Liveness, onVerdict);
        _startup = make(ProbeKind.Startup, TakeStartup);
        if (HasStarted)
        {
            StartOthers();
        }
        else
        {
            _startup!.Start(ranFor);
        }
    }

    public ProbeVerdict? Startup => _startup?.Verdict;

    public ProbeVerdict Readiness => _readiness.Verdict;

    public ProbeVerdict? Liveness => _liveness?.Verdict;

    public bool HasStarted => _startup is null or { Verdict.Passing: true };

    public bool AreOf(ContainerSnapshot container) => container.Id == _run.Id && container.StartedAt == _run.StartedAt;

    public bool AreOf(ContainerSnapshot container, ProbeTarget target) => AreOf(container) && target == _target;

    public void Dispose()
    {
        _startup?.Dispose();
        _readiness.Dispose();
        _liveness?.Dispose();
    }

    // It looks no more once it has passed: this happens once.
    private void TakeStartup()
    {
        if (HasStarted)
        {
            StartOthers();
        }

        _onVerdict();
    }

    private void StartOthers()
    {
        var ranFor = _ranFor + _time.GetElapsedTime(_began);
        _readiness.Start(ranFor);
        _liveness?.Start(ranFor);
    }
}
