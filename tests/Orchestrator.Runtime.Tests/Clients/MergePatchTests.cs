using k8s.Models;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Runtime.Tests.Clients;

public sealed class MergePatchTests
{
    [Fact]
    public void Equal_things_need_no_patch() =>
        Assert.Null(MergePatch.Between(
            new ReplicaStatus { Phase = "Running", Conditions = [new V1Condition { Type = "Ready", Status = "True" }] },
            new ReplicaStatus { Phase = "Running", Conditions = [new V1Condition { Type = "Ready", Status = "True" }] }));

    [Fact]
    public void Only_what_differs_is_in_it_and_what_went_is_null()
    {
        var patch = MergePatch.Between(
            new ReplicaStatus { Phase = "BackOff", Reason = "ErrImagePull", Restarts = 2, LastTermination = new Termination { ExitCode = 1, Reason = "Error" } },
            new ReplicaStatus { Phase = "Running", Ready = true, Restarts = 2, LastTermination = new Termination { ExitCode = 137, Reason = "Error" } });

        Assert.Equal("""{"reason":null,"phase":"Running","ready":true,"lastTermination":{"exitCode":137}}""", patch!.ToJsonString());
    }

    [Fact]
    public void From_nothing_everything_is_in_it() =>
        Assert.Equal("""{"phase":"Starting","ready":false,"restarts":0}""", MergePatch.Between(null, new ReplicaStatus { Phase = "Starting" })!.ToJsonString());
}
