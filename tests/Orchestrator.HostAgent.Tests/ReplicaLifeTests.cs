using System.Diagnostics;
using System.Globalization;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime;

namespace Orchestrator.HostAgent.Tests;

/// <summary>From a bound Replica to a container on a real engine, and what happens to both.</summary>
[Collection(LabCollection.Name)]
public sealed class ReplicaLifeTests(AgentWorld world)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bound_Replica_becomes_a_container_that_is_ready_and_told_of()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template =>
        {
            template.Env = [new EnvironmentVariable { Name = "COLOUR", Value = "blue" }, new EnvironmentVariable { Name = "PORT", Value = "1" }];
            template.Resources = new ResourceNeeds
            {
                Limits = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("500m"), ["memory"] = new("64Mi") },
            };
        });
        var status = replica.Status!;

        Assert.Equal((ReplicaPhases.Running, null, null, 0), (status.Phase, status.Reason, status.Message, status.Restarts));
        Assert.Equal((world.HostOf(replica).Address, replica.Spec.HostPort), (status.Address, status.Port));
        Assert.True(Conditions.IsTrue(status.Conditions, ConditionTypes.Ready));
        Assert.True(Conditions.IsTrue(status.Conditions, ConditionTypes.Scheduled));
        Assert.Equal(status.ContainerId, await world.InspectAsync(replica, "{{.Id}}"));
        using var client = new HttpClient();
        var page = await client.GetStringAsync($"http://{status.Address}:{status.Port}/", Cancelled);
        Assert.Contains($"replica: {replica.Metadata.Name}\nhost: host1", page, StringComparison.Ordinal);

        Assert.Equal("always [no-new-privileges:true] json-file map[max-file:3 max-size:10m] 500000000 67108864", await world.InspectAsync(
            replica,
            "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.SecurityOpt}} {{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}} {{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}"));
        Assert.Equal(
            $"map[8080/tcp:[{{{status.Address} {status.Port}}}]] {replica.Metadata.Name}",
            await world.InspectAsync(replica, "{{.HostConfig.PortBindings}} {{.Config.Hostname}}"));
        var environment = await world.InspectAsync(replica, "{{range .Config.Env}}{{.}} {{end}}");
        foreach (var variable in (string[])["COLOUR=blue", "ORC_APP=web", $"ORC_REPLICA={replica.Metadata.Name}", "ORC_HOST=host1", "PORT=8080"])
        {
            Assert.Contains($"{variable} ", environment, StringComparison.Ordinal);
        }

        Assert.Equal(
            $"{world.InstanceId} {replica.Metadata.Uid} {replica.Metadata.Name} default",
            await world.InspectAsync(replica, $"{{{{index .Config.Labels \"{Labels.Instance}\"}}}} {{{{index .Config.Labels \"{Labels.ReplicaUid}\"}}}} {{{{index .Config.Labels \"{Labels.Replica}\"}}}} {{{{index .Config.Labels \"{Labels.Namespace}\"}}}}"));
        Assert.Contains("Started", world.Events.ReasonsOf(replica));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task Its_hosts_zone_is_told_with_its_address_and_again_when_it_changes()
    {
        var replica = await world.AddReadyReplicaAsync("host1");
        Assert.Null(replica.Status!.Zone);

        await LabelAsync("a");
        await world.SeeAsync(replica, seen => seen.Status is { Zone: "a", Ready: true });
        await LabelAsync("b");
        await world.SeeAsync(replica, seen => seen.Status is { Zone: "b", Ready: true });
        await LabelAsync(null);
        await world.SeeAsync(replica, seen => seen.Status is { Zone: null, Ready: true });
        await world.RemoveAsync(replica);

        Task LabelAsync(string? zone) => world.Hosts.MergePatchAsync(
            new ObjectKey(null, "host1"),
            new { metadata = new { labels = new Dictionary<string, string?> { [TopologyKeys.Zone] = zone } } },
            Cancelled);
    }

    [Fact]
    public async Task A_process_that_is_killed_is_restarted_by_the_engine_and_counted()
    {
        var replica = await world.AddReadyReplicaAsync("host1");
        await KillProcessAsync(replica);
        var after = await world.SeeAsync(replica, seen => seen.Status is { Ready: true, Restarts: 1 });

        Assert.Equal(replica.Status!.ContainerId, after.Status!.ContainerId);
        Assert.NotEqual(replica.Status.StartedAt, after.Status.StartedAt);
        Assert.Equal((137, "Error"), (after.Status.LastTermination!.ExitCode, after.Status.LastTermination.Reason));
        Assert.Equal("always", await world.InspectAsync(replica, "{{.HostConfig.RestartPolicy.Name}}"));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_container_that_is_removed_by_hand_is_made_anew_for_the_same_Replica()
    {
        var replica = await world.AddReadyReplicaAsync("host1");
        await world.Lab.DockerAsync(world.HostOf(replica), "rm", "--force", AgentWorld.ContainerOf(replica));
        var after = await world.SeeAsync(replica, seen => seen.Status is { Ready: true, Restarts: 1 });

        Assert.NotEqual(replica.Status!.ContainerId, after.Status!.ContainerId);
        Assert.Equal(replica.Metadata.Uid, await world.InspectAsync(replica, $"{{{{index .Config.Labels \"{Labels.ReplicaUid}\"}}}}"));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_container_that_is_stopped_by_hand_is_started_again()
    {
        var replica = await world.AddReadyReplicaAsync("host1");
        await world.Lab.DockerAsync(world.HostOf(replica), "stop", AgentWorld.ContainerOf(replica));
        var after = await world.SeeAsync(replica, seen => seen.Status is { Ready: true, Restarts: 1 });

        Assert.Equal((0, "Completed"), (after.Status!.LastTermination!.ExitCode, after.Status.LastTermination.Reason));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task Readiness_follows_its_probe()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template => template.ReadinessProbe = Healthz(period: 1, failures: 2));
        await world.Lab.DockerAsync(world.HostOf(replica), "exec", AgentWorld.ContainerOf(replica), "touch", "/tmp/unhealthy");
        var unready = await world.SeeAsync(replica, seen => seen.Status is { Ready: false, Probes.Readiness.LastFailure.Message: not null });
        var condition = Conditions.Find(unready.Status!.Conditions, ConditionTypes.Ready)!;

        Assert.Equal((ReplicaPhases.Running, "ReadinessProbeFailed"), (unready.Status.Phase, condition.Reason));
        Assert.Contains("statuscode: 503", condition.Message, StringComparison.Ordinal);
        var probe = unready.Status.Probes!.Readiness!;
        Assert.Equal((ProbeResults.Failing, 2, condition.Message), (probe.Result, probe.Failures, probe.LastFailure!.Message));
        Assert.Contains("Unhealthy", world.Events.ReasonsOf(replica));
        await world.Lab.DockerAsync(world.HostOf(replica), "exec", AgentWorld.ContainerOf(replica), "rm", "/tmp/unhealthy");
        var again = await world.SeeAsync(replica, seen => seen.Status is { Ready: true, Probes.Readiness.Result: ProbeResults.Passing });
        Assert.Equal((0, 0, probe.LastFailure.Message), (again.Status!.Restarts, again.Status.Probes!.Readiness!.Failures, again.Status.Probes.Readiness.LastFailure!.Message));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task Readiness_that_is_lost_for_want_of_an_answer_in_time_says_so()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template => template.ReadinessProbe = Healthz(period: 1, failures: 2));
        await SignalListenerAsync("STOP");
        var unready = await world.SeeAsync(replica, seen => seen.Status is { Ready: false, Probes.Readiness.LastFailure.Message: not null });
        var condition = Conditions.Find(unready.Status!.Conditions, ConditionTypes.Ready)!;

        Assert.Equal((ReplicaPhases.Running, UnheardReasons.ReadinessProbeTimedOut), (unready.Status.Phase, condition.Reason));
        Assert.Contains("gave no answer to GET /healthz within", condition.Message, StringComparison.Ordinal);
        await SignalListenerAsync("CONT");
        await world.SeeAsync(replica, seen => seen.Status is { Ready: true });
        await world.RemoveAsync(replica);

        Task SignalListenerAsync(string signal) => world.Lab.DockerAsync(
            world.HostOf(replica), "exec", AgentWorld.ContainerOf(replica), "/bin/sh", "-c", $"kill -{signal} $(pidof nc)");
    }

    [Fact]
    public async Task A_liveness_probe_that_fails_restarts_the_container_and_says_why()
    {
        var replica = await world.AddReadyReplicaAsync("host1", template => template.LivenessProbe = new V1Probe
        {
            Exec = new V1ExecAction { Command = ["test", "!", "-e", "/tmp/unhealthy"] },
            PeriodSeconds = 1,
            FailureThreshold = 2,
        });
        await world.Lab.DockerAsync(world.HostOf(replica), "exec", AgentWorld.ContainerOf(replica), "sh", "-c", "echo > /tmp/unhealthy");
        await world.SeeAsync(replica, seen => seen.Status is { Ready: false, Reason: "LivenessProbeFailed" } or { Restarts: > 0 });

        // The file is still there after a restart: it goes on until it is gone.
        var after = await world.SeeAsync(replica, seen => seen.Status is { Restarts: > 0 });
        Assert.Equal("LivenessProbeFailed", after.Status!.LastTermination!.Reason);
        Assert.Contains("Killing", world.Events.ReasonsOf(replica));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task Until_its_startup_probe_passes_a_replica_is_not_ready_and_is_restarted_when_it_takes_too_long()
    {
        var replica = await world.AddReplicaAsync("host1", template =>
        {
            template.StartupProbe = new V1Probe
            {
                Exec = new V1ExecAction { Command = ["test", "-e", "/tmp/started"] },
                PeriodSeconds = 2,
                FailureThreshold = 2,
            };

            // Would end it before it has started, if it were made.
            template.LivenessProbe = new V1Probe { Exec = new V1ExecAction { Command = ["test", "-e", "/tmp/started"] }, PeriodSeconds = 1, FailureThreshold = 1 };
        });
        var restarted = await world.SeeAsync(replica, seen => seen.Status is { Restarts: > 0, LastTermination: not null });
        Assert.Equal("StartupProbeFailed", restarted.Status!.LastTermination!.Reason);
        Assert.False(restarted.Status.Ready);
        Assert.Contains("startup probe failed: test ended with exit code 1", world.Events.AllText, StringComparison.Ordinal);

        // A run that ends in between is followed by another.
        await Eventually.See(
            async () =>
            {
                await world.Lab.DockerAsync(world.HostOf(replica), "exec", AgentWorld.ContainerOf(replica), "touch", "/tmp/started");
                return await world.Replicas.GetAsync(Runtime.ObjectKey.Of(replica), Cancelled);
            },
            seen => seen!.Status is { Ready: true, Phase: ReplicaPhases.Running });
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_container_that_keeps_crashing_is_taken_from_the_engine_and_backed_off()
    {
        var replica = await world.AddReplicaAsync("host1", template => template.Image = $"{world.Lab.Registry}/broken:v1");
        var status = (await world.SeeAsync(
            replica,
            seen => seen.Status is { Reason: "CrashLoopBackOff", Message: { } message } && message.Contains("last words", StringComparison.Ordinal))).Status!;

        Assert.Equal((ReplicaPhases.BackOff, false), (status.Phase, status.Ready));
        Assert.Equal(1, status.LastTermination!.ExitCode);
        Assert.Contains("exit code 1; its last words: broken as asked", status.Message, StringComparison.Ordinal);
        Assert.Equal("no", await world.InspectAsync(replica, "{{.HostConfig.RestartPolicy.Name}}"));
        Assert.True(status.Restarts >= 2, $"{status.Restarts} restarts");
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task An_image_that_does_not_exist_is_named_and_waited_for()
    {
        var replica = await world.AddReplicaAsync("host1", template => template.Image = $"{world.Lab.Registry}/web:v0");
        var status = (await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.BackOff })).Status!;

        Assert.Equal("ErrImagePull", status.Reason);
        Assert.Contains($"{world.Lab.Registry}/web:v0", status.Message, StringComparison.Ordinal);
        Assert.Contains("manifest", status.Message, StringComparison.Ordinal);
        Assert.Equal(["Pulling", "Failed"], world.Events.ReasonsOf(replica));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task With_the_policy_Never_an_image_that_is_not_there_is_not_pulled()
    {
        var replica = await world.AddReplicaAsync("host1", template =>
        {
            template.Image = "nowhere.example.org/web:v0";
            template.ImagePullPolicy = PullPolicies.Never;
        });
        await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.BackOff, Reason: "ErrImageNeverPull" });

        Assert.DoesNotContain("Pulling", world.Events.ReasonsOf(replica));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_private_image_needs_its_pull_Secret_and_the_password_is_nowhere()
    {
        var login = world.Lab.RegistryWithPassword;
        var image = $"{login.Address}/web:v2";
        await world.Lab.DockerAsync(world.Lab.Hosts[0], "image", "rm", "--force", image).ContinueWith(_ => { }, TaskScheduler.Default);
        var refused = await world.AddReplicaAsync("host1", template => template.Image = image);
        var status = (await world.SeeAsync(refused, seen => seen.Status is { Reason: "ErrImagePull" })).Status!;
        Assert.Contains("no basic auth credentials", status.Message, StringComparison.Ordinal);

        var json = $$"""{"auths":{"{{login.Address}}":{"username":"{{login.Username}}","password":"{{login.Password}}"} } }""";
        await world.Kubernetes.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret
            {
                Metadata = new V1ObjectMeta { Name = "registry-login" },
                Type = "kubernetes.io/dockerconfigjson",
                Data = new Dictionary<string, byte[]> { [".dockerconfigjson"] = System.Text.Encoding.UTF8.GetBytes(json) },
            },
            "default",
            cancellationToken: Cancelled);
        var replica = await world.AddReadyReplicaAsync("host1", template =>
        {
            template.Image = image;
            template.ImagePullSecrets = [new V1LocalObjectReference { Name = "registry-login" }];
        });
        Assert.DoesNotContain(login.Password, world.Events.AllText + KubernetesJson.Serialize(replica), StringComparison.Ordinal);
        await world.RemoveAsync(refused);
        await world.RemoveAsync(replica);
        await world.Lab.DockerAsync(world.Lab.Hosts[0], "image", "rm", "--force", image);
    }

    [Fact]
    public async Task A_port_that_another_container_has_is_told_of_and_the_replica_starts_once_it_is_free()
    {
        var port = AgentWorld.NextPort();
        var host = world.Lab.Hosts[0];
        await world.Lab.DockerAsync(host, "run", "--detach", "--name", "squatter", "--publish", $"{host.Address}:{port}:8080", world.Lab.WebImage);
        try
        {
            var replica = await world.AddReplicaAsync(host.Name, port: port);
            var status = (await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.BackOff })).Status!;
            Assert.Equal("PortUnavailable", status.Reason);
            Assert.Contains(port.ToString(CultureInfo.InvariantCulture), status.Message, StringComparison.Ordinal);
            await world.Lab.DockerAsync(host, "rm", "--force", "squatter");
            await world.SeeAsync(replica, seen => seen.Status is { Ready: true });
            await world.RemoveAsync(replica);
        }
        finally
        {
            await world.RemoveContainersAsync(host, "name=squatter");
        }
    }

    [Fact]
    public async Task A_port_that_another_process_of_the_host_has_is_told_of()
    {
        var port = AgentWorld.NextPort();
        var host = world.Lab.Hosts[0];
        await world.Lab.DockerAsync(
            host, "run", "--detach", "--name", "process", "--network", "host", "--env", $"PORT={port}", world.Lab.WebImage);
        try
        {
            var replica = await world.AddReplicaAsync(host.Name, port: port);
            await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.BackOff, Reason: "PortUnavailable" });
            await world.RemoveAsync(replica);
        }
        finally
        {
            await world.RemoveContainersAsync(host, "name=process");
        }
    }

    [Fact]
    public async Task Containers_of_others_are_never_touched_not_even_one_that_has_our_name()
    {
        var host = world.Lab.Hosts[0];
        var foreign = await world.Lab.DockerAsync(host, "run", "--detach", "--name", "foreign", world.Lab.WebImage);
        var otherInstance = await world.Lab.DockerAsync(
            host, "run", "--detach", "--name", "other-instance", "--label", $"{Labels.Instance}=somebody-else", "--label", $"{Labels.ReplicaUid}=x", world.Lab.WebImage);
        try
        {
            await world.StopAgentAsync();
            var replica = await world.AddReplicaAsync(host.Name);
            var namesake = await world.Lab.DockerAsync(host, "create", "--name", AgentWorld.ContainerOf(replica), world.Lab.WebImage);
            world.StartAgent();
            var status = (await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.BackOff })).Status!;
            Assert.Equal("NameConflict", status.Reason);
            await world.DeleteAsync(replica);
            await world.SeeGoneAsync(replica);

            Assert.Equal("true", await world.Lab.DockerAsync(host, "inspect", "--format", "{{.State.Running}}", foreign));
            Assert.Equal("true", await world.Lab.DockerAsync(host, "inspect", "--format", "{{.State.Running}}", otherInstance));
            Assert.Equal("created", await world.Lab.DockerAsync(host, "inspect", "--format", "{{.State.Status}}", namesake));
            await world.Lab.DockerAsync(host, "rm", namesake);
        }
        finally
        {
            await world.RemoveContainersAsync(host, "name=foreign");
            await world.RemoveContainersAsync(host, "name=other-instance");
        }
    }

    private static V1Probe Healthz(int period, int failures) => new()
    {
        HttpGet = new V1HTTPGetAction { Path = "/healthz" },
        PeriodSeconds = period,
        FailureThreshold = failures,
        TimeoutSeconds = 5,
    };

    private async Task KillProcessAsync(Replica replica)
    {
        var pid = int.Parse(await world.InspectAsync(replica, "{{.State.Pid}}"), CultureInfo.InvariantCulture);
        using var process = Process.GetProcessById(pid);
        process.Kill();
    }
}
