using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime;

namespace Orchestrator.HostAgent.Tests;

/// <summary>Draining, stopping, restarts of the agent, and what nobody claims.</summary>
[Collection(LabCollection.Name)]
public sealed class LeavingTests(AgentWorld world)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_container_is_stopped_only_when_every_live_proxy_has_let_go_of_it()
    {
        // Before the replica, so that the agent knows of them when that is deleted.
        await world.WriteLeaseAsync("proxy-live", TimeSpan.Zero, "");
        await world.WriteLeaseAsync("proxy-expired", TimeSpan.FromHours(1), "");
        try
        {
            var replica = await world.AddReadyReplicaAsync("host2");
            await world.DeleteAsync(replica);
            var draining = await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.Draining });
            Assert.False(draining.Status!.Ready);

            // A second sign of life: something else happens meanwhile, and it still runs.
            var other = await world.AddReadyReplicaAsync("host2");
            Assert.Equal("running always", await world.InspectAsync(replica, "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}"));
            Assert.Equal(ReplicaPhases.Draining, (await world.Replicas.GetAsync(ObjectKey.Of(replica), Cancelled))!.Status!.Phase);

            await world.WriteLeaseAsync("proxy-live", TimeSpan.Zero, $"someone,{replica.Metadata.Uid}");
            await world.SeeGoneAsync(replica, TimeSpan.FromSeconds(15));
            await world.WriteLeaseAsync("proxy-live", TimeSpan.Zero, $"{replica.Metadata.Uid},{other.Metadata.Uid}");
            await world.RemoveAsync(other);
        }
        finally
        {
            await world.Leases.DeleteAsync(new ObjectKey(ApiGroup.SystemNamespace, "proxy-live"), null, Cancelled);
            await world.Leases.DeleteAsync(new ObjectKey(ApiGroup.SystemNamespace, "proxy-expired"), null, Cancelled);
        }
    }

    [Fact]
    public async Task The_drain_timeout_ends_the_wait_for_a_proxy_that_does_not_let_go()
    {
        await world.WriteLeaseAsync("proxy-stubborn", TimeSpan.Zero, "");
        try
        {
            var replica = await world.AddReadyReplicaAsync("host2", template => template.DrainTimeoutSeconds = 2);
            await world.DeleteAsync(replica);
            await world.SeeGoneAsync(replica, TimeSpan.FromSeconds(15));
        }
        finally
        {
            await world.Leases.DeleteAsync(new ObjectKey(ApiGroup.SystemNamespace, "proxy-stubborn"), null, Cancelled);
        }
    }

    [Fact]
    public async Task A_replica_that_was_never_ready_is_not_waited_for()
    {
        await world.WriteLeaseAsync("proxy-slow", TimeSpan.Zero, "");
        try
        {
            var replica = await world.AddReplicaAsync("host2", template => template.ReadinessProbe = new V1Probe { Exec = new V1ExecAction { Command = ["false"] } });
            var seen = await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.Running });
            var condition = Conditions.Find(seen.Status!.Conditions, ConditionTypes.Ready)!;
            Assert.Equal("NotYetReady", condition.Reason);
            Assert.Contains("false ended with exit code 1", condition.Message, StringComparison.Ordinal);
            await world.DeleteAsync(replica);
            await world.SeeGoneAsync(replica, TimeSpan.FromSeconds(15));
        }
        finally
        {
            await world.Leases.DeleteAsync(new ObjectKey(ApiGroup.SystemNamespace, "proxy-slow"), null, Cancelled);
        }
    }

    [Fact]
    public async Task A_process_that_ignores_the_stop_signal_is_killed_after_its_grace_period()
    {
        var replica = await world.AddReadyReplicaAsync("host2", template =>
        {
            template.Command = ["sh", "-c", "trap '' TERM; nc -ll -p 8080 -e /bin/handler & while true; do sleep 1; done"];
            template.TerminationGracePeriodSeconds = 1;
        });
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_replica_that_is_deleted_while_it_is_restarted_is_stopped_once()
    {
        var replica = await world.AddReplicaAsync("host2", template =>
        {
            template.Command = ["sh", "-c", "trap '' TERM; while true; do sleep 1; done"];
            template.TerminationGracePeriodSeconds = 3;
            template.LivenessProbe = new V1Probe { Exec = new V1ExecAction { Command = ["false"] }, PeriodSeconds = 1, FailureThreshold = 1 };
        });
        await world.SeeAsync(replica, seen => seen.Status is { Reason: "LivenessProbeFailed" });
        await world.RemoveAsync(replica);

        Assert.Single(world.Events.ReasonsOf(replica), reason => reason == "Started");
    }

    [Fact]
    public async Task Without_a_grace_period_it_is_killed_at_once()
    {
        var replica = await world.AddReadyReplicaAsync("host2", template => template.TerminationGracePeriodSeconds = 0);
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_restarted_agent_adopts_what_runs_removes_what_nobody_claims_and_finishes_what_was_begun()
    {
        var kept = await world.AddReadyReplicaAsync("host2");
        var deleted = await world.AddReadyReplicaAsync("host2");
        var forced = await world.AddReadyReplicaAsync("host2");
        await world.StopAgentAsync();
        await world.DeleteAsync(deleted);
        await world.Replicas.MergePatchAsync(ObjectKey.Of(forced), new { metadata = new { finalizers = Array.Empty<string>() } }, Cancelled);
        await world.DeleteAsync(forced);
        var started = await world.InspectAsync(kept, "{{.Id}} {{.State.StartedAt}}");
        world.StartAgent();

        await world.SeeGoneAsync(deleted);
        await Eventually.See(
            () => world.Lab.DockerAsync(
                world.HostOf(forced), "ps", "--all", "--quiet", "--filter", $"label={Labels.ReplicaUid}={forced.Metadata.Uid}"),
            seen => seen.Length == 0);
        var after = await world.SeeAsync(kept, seen => seen.Status is { Ready: true });
        Assert.Equal(started, await world.InspectAsync(kept, "{{.Id}} {{.State.StartedAt}}"));
        Assert.Equal((0, kept.Status!.StartedAt), (after.Status!.Restarts, after.Status.StartedAt));
        Assert.Equal(kept.Metadata.ResourceVersion, after.Metadata.ResourceVersion);
        await world.RemoveAsync(kept);
    }

    [Fact]
    public async Task A_container_that_was_created_and_never_started_by_an_agent_that_died_is_used()
    {
        await world.StopAgentAsync();
        var replica = await world.AddReplicaAsync("host2");
        var host = (await world.Hosts.GetAsync(new ObjectKey(null, "host2"), Cancelled))!;
        var body = Orchestrator.HostAgent.Containers.ContainerBody.Of(replica, host, world.InstanceId);
        string[] labels = [.. body.Labels.SelectMany(label => (string[])["--label", $"{label.Key}={label.Value}"])];
        var id = await world.Lab.DockerAsync(
            world.HostOf(replica), ["create", "--name", body.Name!, "--restart", "always", "--publish", $"{world.HostOf(replica).Address}:{replica.Spec.HostPort}:8080", .. labels, world.Lab.WebImage]);
        world.StartAgent();

        Assert.Equal(id, (await world.SeeAsync(replica, seen => seen.Status is { Ready: true })).Status!.ContainerId);
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_Replica_whose_host_is_no_more_is_let_go()
    {
        await world.AddHostAsync("doomed", "tcp://127.0.0.1:1", null);
        await world.SeeHostAsync("doomed", seen => seen.Status?.Conditions is not null);
        var replica = await world.AddReplicaAsync("doomed");
        await world.DeleteAsync(replica);
        await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.Stopping, Reason: "HostUnreachable" });
        await world.Hosts.DeleteAsync(new ObjectKey(null, "doomed"), null, Cancelled);
        await world.SeeGoneAsync(replica);
    }
}
