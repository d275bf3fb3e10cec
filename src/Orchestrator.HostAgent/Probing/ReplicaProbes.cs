using Orchestrator.HostAgent.Containers;

namespace Orchestrator.HostAgent.Probing;

/// <summary>The probes of one run of a container, at one address.</summary>
internal sealed class ReplicaProbes : IDisposable
{
    private readonly ContainerSnapshot _run;
    private readonly ProbeTarget _target;
    private readonly ContainerProbe _readiness;
    private readonly ContainerProbe? _liveness;

    public ReplicaProbes(ContainerSnapshot run, ProbeTarget target, ContainerProbe readiness, ContainerProbe? liveness, TimeSpan ranFor)
    {
        _run = run;
        _target = target;
        _readiness = readiness;
        _liveness = liveness;
        readiness.Start(ranFor);
        liveness?.Start(ranFor);
    }

    public ProbeVerdict Readiness => _readiness.Verdict;

    public ProbeVerdict? Liveness => _liveness?.Verdict;

    public bool ReadinessIsWorthTelling => _readiness.IsWorthTelling(Readiness);

    public bool LivenessIsWorthTelling => _liveness is not null && _liveness.IsWorthTelling(_liveness.Verdict);

    public bool AreOf(ContainerSnapshot container, ProbeTarget target) =>
        container.Id == _run.Id && container.StartedAt == _run.StartedAt && target == _target;

    public void Dispose()
    {
        _readiness.Dispose();
        _liveness?.Dispose();
    }
}
