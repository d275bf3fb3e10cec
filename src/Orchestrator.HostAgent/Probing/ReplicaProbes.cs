using Orchestrator.HostAgent.Containers;

namespace Orchestrator.HostAgent.Probing;

/// <summary>The probes of one run of a container.</summary>
internal sealed class ReplicaProbes : IDisposable
{
    private readonly ContainerSnapshot _run;
    private readonly ContainerProbe _readiness;
    private readonly ContainerProbe? _liveness;

    public ReplicaProbes(ContainerSnapshot run, ContainerProbe readiness, ContainerProbe? liveness, TimeSpan ranFor)
    {
        _run = run;
        _readiness = readiness;
        _liveness = liveness;
        readiness.Start(ranFor);
        liveness?.Start(ranFor);
    }

    public ProbeVerdict Readiness => _readiness.Verdict;

    public ProbeVerdict? Liveness => _liveness?.Verdict;

    public bool ReadinessIsWorthTelling => _readiness.IsWorthTelling(Readiness);

    public bool LivenessIsWorthTelling => _liveness is not null && _liveness.IsWorthTelling(_liveness.Verdict);

    public bool AreOf(ContainerSnapshot container) => container.Id == _run.Id && container.StartedAt == _run.StartedAt;

    public void Dispose()
    {
        _readiness.Dispose();
        _liveness?.Dispose();
    }
}
