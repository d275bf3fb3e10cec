using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Status;

namespace Orchestrator.HostAgent.Tests.Status;

public sealed class ReplicaStatusBuilderTests
{
    private static readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(true, ReplicaReasons.Ready, UnheardReasons.HostSilent)]
    [InlineData(false, UnheardReasons.HostSilent, UnheardReasons.HostSilent)]
    [InlineData(false, UnheardReasons.ReadinessProbeTimedOut, UnheardReasons.HostSilent)]
    [InlineData(false, ReplicaReasons.NotYetReady, ReplicaReasons.NotYetReady)]
    [InlineData(false, ReplicaReasons.ReadinessProbeFailed, ReplicaReasons.ReadinessProbeFailed)]
    public void On_a_host_that_falls_silent_only_what_was_ready_is_merely_unheard(bool ready, string before, string after)
    {
        var known = new ReplicaStatus
        {
            Phase = ReplicaPhases.Running,
            Ready = ready,
            Conditions = [Conditions.Next(null, ConditionTypes.Ready, ready, before, null, 1, _now)],
        };

        var status = ReplicaStatusBuilder.OfSilentHost(new Replica { Metadata = new V1ObjectMeta { Generation = 1 } }, known, _now);

        var condition = Conditions.Find(status.Conditions, ConditionTypes.Ready)!;
        Assert.Equal((false, ReplicaReasons.HostSilent, Conditions.False, after), (status.Ready, status.Reason, condition.Status, condition.Reason));
        Assert.Equal(after == UnheardReasons.HostSilent, UnheardReasons.Explain(status));
    }
}
