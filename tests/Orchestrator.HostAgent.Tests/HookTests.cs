using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests;

/// <summary>postStart and preStop in containers of a real engine.</summary>
[Collection(LabCollection.Name)]
public sealed class HookTests(AgentWorld world)
{
    [Fact]
    public async Task No_readiness_is_asked_for_before_postStart_has_ended_and_each_run_has_it()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template =>
        {
            template.Lifecycle = new V1Lifecycle { PostStart = Shell("sleep 1; echo done >>/tmp/hook; test ! -e /tmp/too-early") };
            template.ReadinessProbe = new V1Probe { Exec = new V1ExecAction { Command = ["sh", "-c", "test -e /tmp/hook || touch /tmp/too-early"] }, PeriodSeconds = 1 };
        });
        Assert.Equal("done", await InAsync(replica, "cat /tmp/hook"));
        Assert.Equal("no", await InAsync(replica, "test -e /tmp/too-early && echo yes || echo no"));

        // Files of a container outlive its restarts: the hook of each run leaves its line.
        await world.Lab.DockerAsync(world.HostOf(replica), "kill", AgentWorld.ContainerOf(replica));
        await world.SeeAsync(replica, seen => seen.Status is { Ready: true, Restarts: 1 });
        Assert.Equal("done\ndone", await InAsync(replica, "cat /tmp/hook"));
        Assert.DoesNotContain("FailedPostStartHook", world.Events.ReasonsOf(replica));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task An_agent_that_comes_after_does_not_run_the_hook_of_a_run_that_has_had_it()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template => template.Lifecycle = new V1Lifecycle { PostStart = Shell("echo done >>/tmp/hook") });
        await world.StopAgentAsync();
        world.StartAgent();
        await world.SeeHostAsync("host1", seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready));
        await world.Lab.DockerAsync(world.HostOf(replica), "kill", AgentWorld.ContainerOf(replica));
        await world.SeeAsync(replica, seen => seen.Status is { Ready: true, Restarts: 1 });

        Assert.Equal("done\ndone", await InAsync(replica, "cat /tmp/hook"));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_postStart_that_fails_ends_the_container_says_why_and_ends_in_a_crash_loop()
    {
        var replica = await world.AddReplicaAsync("host1", template => template.Lifecycle = new V1Lifecycle { PostStart = Shell("exit 3") });
        var status = (await world.SeeAsync(replica, seen => seen.Status is { Reason: "CrashLoopBackOff" })).Status!;

        Assert.False(status.Ready);
        Assert.Equal("PostStartHookError", status.LastTermination!.Reason);
        Assert.Contains("restarting failed container: postStart hook failed: sh ended with exit code 3; exit code 0", status.Message, StringComparison.Ordinal);
        Assert.Contains("FailedPostStartHook", world.Events.ReasonsOf(replica));
        Assert.Equal("exited no", await world.InspectAsync(replica, "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}"));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_postStart_GET_waits_for_the_server_to_listen()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template =>
            template.Lifecycle = new V1Lifecycle { PostStart = new V1LifecycleHandler { HttpGet = new V1HTTPGetAction { Path = "/warm-up", Port = 8080 } } });

        Assert.Contains("GET /warm-up 200", await world.Lab.DockerAsync(world.HostOf(replica), "logs", AgentWorld.ContainerOf(replica)), StringComparison.Ordinal);
        Assert.Equal(0, replica.Status!.Restarts);
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task PreStop_is_run_before_the_stop_signal_of_a_restart_and_the_next_run_goes_on()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template =>
        {
            template.Lifecycle = new V1Lifecycle { PreStop = Shell("rm /tmp/unhealthy; echo hook >/proc/1/fd/1") };
            template.LivenessProbe = new V1Probe { HttpGet = new V1HTTPGetAction { Path = "/healthz" }, PeriodSeconds = 1, FailureThreshold = 1 };
        });
        await InAsync(replica, "touch /tmp/unhealthy");
        await world.SeeAsync(replica, seen => seen.Status is { Ready: true, Restarts: 1 });

        var lines = (await world.Lab.DockerAsync(world.HostOf(replica), "logs", AgentWorld.ContainerOf(replica)))
            .Split('\n').Where(line => !line.StartsWith("GET ", StringComparison.Ordinal));
        Assert.Equal(["web v1 listens on port 8080", "hook", "web v1 has stopped", "web v1 listens on port 8080"], lines);
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task PreStop_is_run_after_draining_before_the_stop_signal_of_a_removal()
    {
        // Before the replica, so that the agent knows of it when that is deleted.
        await world.WriteLeaseAsync("hook-proxy", renewedAgo: TimeSpan.Zero, drained: "");
        try
        {
            var replica = await world.AddReadyReplicaAsync("host1", template => template.Lifecycle = new V1Lifecycle { PreStop = Shell("exit 0") });
            await world.DeleteAsync(replica);
            await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.Draining });
            Assert.DoesNotContain("exec", await HappenedAsync(replica));

            await world.WriteLeaseAsync("hook-proxy", renewedAgo: TimeSpan.Zero, drained: replica.Metadata.Uid);
            await world.SeeGoneAsync(replica);
            Assert.Equal(["create", "start", "update", "exec", "kill", "die", "destroy"], await HappenedAsync(replica));
            Assert.DoesNotContain("FailedPreStopHook", world.Events.ReasonsOf(replica));
        }
        finally
        {
            // Every other test's replicas would wait for it.
            await world.Leases.DeleteAsync(new Runtime.ObjectKey(ApiGroup.SystemNamespace, "hook-proxy"), null, default);
        }
    }

    [Fact]
    public async Task A_preStop_that_fails_is_told_of_and_the_replica_goes()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template => template.Lifecycle = new V1Lifecycle { PreStop = Shell("exit 4") });
        await world.RemoveAsync(replica);

        Assert.Contains("FailedPreStopHook", world.Events.ReasonsOf(replica));
        Assert.Contains("preStop hook failed: sh ended with exit code 4", world.Events.AllText, StringComparison.Ordinal);
    }

    private static V1LifecycleHandler Shell(string script) => new() { Exec = new V1ExecAction { Command = ["sh", "-c", script] } };

    private Task<string> InAsync(Replica replica, string script) =>
        world.Lab.DockerAsync(world.HostOf(replica), "exec", AgentWorld.ContainerOf(replica), "sh", "-c", script);

    /// <summary>What the engine did to the container, in its order and words.</summary>
    private async Task<IReadOnlyList<string>> HappenedAsync(Replica replica)
    {
        var until = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1;
        var events = await world.Lab.DockerAsync(
            world.HostOf(replica),
            "events",
            "--since",
            "10m",
            "--until",
            $"{until}",
            "--filter",
            $"label={Labels.ReplicaUid}={replica.Metadata.Uid}",
            "--format",
            "{{.Action}}");
        return [.. events.Split('\n').Where(action => !action.StartsWith("exec_", StringComparison.Ordinal) || action.StartsWith("exec_start", StringComparison.Ordinal))
            .Select(action => action.StartsWith("exec_start", StringComparison.Ordinal) ? "exec" : action)
            .Where(action => action is "create" or "start" or "update" or "exec" or "kill" or "die" or "destroy")];
    }
}
