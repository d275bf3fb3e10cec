using System.Diagnostics;
using System.Globalization;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime;

namespace Orchestrator.HostAgent.Tests;

/// <summary>What hosts do: be described, be mistrusted, die and come back. Uses up host3.</summary>
[Collection(BreakingHosts.Name)]
public sealed class HostFailureTests(WorldToBreak world)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private LabHost Host => world.Lab.Hosts[2];

    [Fact]
    public async Task A_host_is_described()
    {
        var replica = await world.AddReadyReplicaAsync(Host.Name);
        var status = (await world.SeeHostAsync(Host.Name, seen => seen.Status is { Images.Count: > 0 })).Status!;

        Assert.Equal(await world.Lab.DockerAsync(Host, "version", "--format", "{{.Server.Version}}"), status.EngineVersion);
        Assert.Equal("amd64", status.Architecture);
        Assert.True(status.Capacity!["cpu"].ToDecimal() >= 1);
        Assert.Contains(status.Images!, image => image.Names.Contains(world.Lab.WebImage));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task A_certificate_of_another_CA_is_refused_and_a_mended_Secret_is_enough()
    {
        var api = world.Kubernetes.CoreV1;
        await api.CreateNamespacedSecretAsync(AgentWorld.TlsSecret("stranger", world.Lab.StrangerTls), ApiGroup.SystemNamespace, cancellationToken: Cancelled);
        await world.AddHostAsync("mistrusting", Host.Endpoint, "stranger");
        Assert.Contains("does not accept our client certificate", (await SeeNotReadyAsync("mistrusting", "TlsFailed")).Message, StringComparison.Ordinal);

        await api.ReplaceNamespacedSecretAsync(AgentWorld.TlsSecret("stranger", world.Lab.Tls), "stranger", ApiGroup.SystemNamespace, cancellationToken: Cancelled);
        await world.SeeHostAsync("mistrusting", seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready));
        await world.Hosts.DeleteAsync(new ObjectKey(null, "mistrusting"), null, Cancelled);
    }

    [Fact]
    public async Task An_engine_signed_by_another_CA_is_not_trusted()
    {
        var api = world.Kubernetes.CoreV1;
        var stranger = world.Lab.Tls with { Ca = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(world.Lab.Tls.Ca))!, "authority-of-strangers", "cert.pem") };
        await api.CreateNamespacedSecretAsync(AgentWorld.TlsSecret("wrong-ca", stranger), ApiGroup.SystemNamespace, cancellationToken: Cancelled);
        await world.AddHostAsync("mistrusted", Host.Endpoint, "wrong-ca");
        Assert.Contains("signed by another CA", (await SeeNotReadyAsync("mistrusted", "TlsFailed")).Message, StringComparison.Ordinal);
        await world.Hosts.DeleteAsync(new ObjectKey(null, "mistrusted"), null, Cancelled);
    }

    [Fact]
    public async Task Plain_HTTP_to_an_engine_with_TLS_and_TLS_to_plain_HTTP_are_told_apart()
    {
        await world.AddHostAsync("plain", Host.Endpoint, null);
        Assert.Contains("speaks TLS: set spec.tlsSecretName", (await SeeNotReadyAsync("plain", "TlsFailed")).Message, StringComparison.Ordinal);
        await world.AddHostAsync("registry", $"tcp://{world.Lab.Registry}", "lab-tls");
        Assert.Contains("speaks plain HTTP, not TLS", (await SeeNotReadyAsync("registry", "TlsFailed")).Message, StringComparison.Ordinal);
        await world.AddHostAsync("no-secret", Host.Endpoint, "missing");
        Assert.Contains("there is no Secret missing", (await SeeNotReadyAsync("no-secret", "TlsFailed")).Message, StringComparison.Ordinal);
        foreach (var name in (string[])["plain", "registry", "no-secret"])
        {
            await world.Hosts.DeleteAsync(new ObjectKey(null, name), null, Cancelled);
        }
    }

    [Fact]
    public async Task A_unix_socket_is_enough_and_two_DockerHosts_of_one_engine_leave_each_others_containers_alone()
    {
        var replica = await world.AddReadyReplicaAsync(Host.Name);
        await world.AddHostAsync("same-engine", $"unix://{Host.Socket}", null, publishAddress: Host.Address);
        var other = await world.AddReadyReplicaAsync("same-engine");
        await world.StopAgentAsync();
        world.StartAgent();
        var third = await world.AddReadyReplicaAsync("same-engine");

        Assert.Equal(replica.Status!.ContainerId, await world.InspectAsync(replica, "{{.Id}}"));
        Assert.Equal(other.Status!.ContainerId, await world.Lab.DockerAsync(Host, "inspect", "--format", "{{.Id}}", AgentWorld.ContainerOf(other)));
        foreach (var mine in (Replica[])[other, third])
        {
            await world.DeleteAsync(mine);
            await world.SeeGoneAsync(mine);
        }

        await world.RemoveAsync(replica);
        await world.Hosts.DeleteAsync(new ObjectKey(null, "same-engine"), null, Cancelled);
    }

    [Fact]
    public async Task A_publish_address_that_is_not_the_hosts_is_told_of_and_mended_by_a_patch()
    {
        await world.AddHostAsync("misaddressed", Host.Endpoint, "lab-tls", publishAddress: "203.0.113.1");
        var replica = await world.AddReplicaAsync("misaddressed");
        var failed = await world.SeeAsync(replica, seen => seen.Status is { Reason: "PublishAddressUnavailable" });
        Assert.Contains("set spec.publishAddress of the DockerHost", failed.Status!.Message, StringComparison.Ordinal);

        await PatchAsync("misaddressed", new { publishAddress = Host.Address });

        // The back-off of the failed start would take 10 s: it is about the address that was.
        var ready = await world.SeeAsync(replica, seen => seen.Status is { Ready: true }, TimeSpan.FromSeconds(8));
        Assert.Equal(Host.Address, ready.Status!.Address);
        await world.DeleteAsync(replica);
        await world.SeeGoneAsync(replica);
        await world.Hosts.DeleteAsync(new ObjectKey(null, "misaddressed"), null, Cancelled);
    }

    [Fact]
    public async Task A_host_that_gets_another_address_has_its_replicas_probed_there()
    {
        // Nothing listens on it: containers publish on the host's own.
        const string nowhere = "127.0.0.99";
        await world.AddHostAsync("moving", Host.Endpoint, "lab-tls");
        await PatchAsync("moving", new { address = nowhere });
        await world.SeeHostAsync("moving", seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready));
        var replica = await world.AddReplicaAsync("moving");
        var started = (await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.Running, Ready: false, Address: nowhere })).Status!.StartedAt;

        await PatchAsync("moving", new { address = Host.Address });
        var ready = await world.SeeAsync(replica, seen => seen.Status is { Ready: true });
        Assert.Equal((Host.Address, started), (ready.Status!.Address, ready.Status.StartedAt));

        await PatchAsync("moving", new { address = nowhere });
        var unready = await world.SeeAsync(replica, seen => seen.Status is { Ready: false });
        Assert.Equal((nowhere, started), (unready.Status!.Address, unready.Status.StartedAt));

        // Nor does an agent that starts take another's word for another address.
        await PatchAsync("moving", new { address = Host.Address });
        await world.SeeAsync(replica, seen => seen.Status is { Ready: true });
        await world.StopAgentAsync();
        await PatchAsync("moving", new { address = nowhere });
        world.StartAgent();
        await world.SeeAsync(replica, seen => seen.Status is { Ready: false, Address: nowhere });
        await world.DeleteAsync(replica);
        await world.SeeGoneAsync(replica);
        await world.Hosts.DeleteAsync(new ObjectKey(null, "moving"), null, Cancelled);
    }

    [Fact]
    public async Task An_engine_that_is_killed_is_noticed_at_once_and_its_replicas_serve_on()
    {
        var replica = await world.AddReadyReplicaAsync(
            Host.Name, template => template.ReadinessProbe = new V1Probe { TcpSocket = new V1TCPSocketAction(), PeriodSeconds = 1, FailureThreshold = 2 });
        var pid = int.Parse(await world.InspectAsync(replica, "{{.State.Pid}}"), CultureInfo.InvariantCulture);

        // A replica may be ready on a host that is not: an engine that has just been started may be slow to answer.
        await world.SeeHostAsync(Host.Name, seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready), TimeSpan.FromSeconds(60));
        await Lab.DoAsync("kill-engine", Host);
        var lost = await SeeNotReadyAsync(Host.Name, "EngineRefused", TimeSpan.FromSeconds(8));
        Assert.Contains("is the engine running", lost.Message, StringComparison.Ordinal);

        // The container outlives its engine, and so does what is known of it.
        using (var client = new HttpClient())
        {
            Assert.Contains("version: v1", await client.GetStringAsync($"http://{replica.Status!.Address}:{replica.Status.Port}/", Cancelled), StringComparison.Ordinal);
        }

        Assert.True((await world.Replicas.GetAsync(ObjectKey.Of(replica), Cancelled))!.Status!.Ready);

        // An agent that starts now takes it to run, and finds out by its probes when it no longer does.
        await world.StopAgentAsync();
        world.StartAgent();
        var waiting = await world.AddReplicaAsync(Host.Name);
        await world.SeeAsync(waiting, seen => seen.Status is { Reason: "HostUnreachable", Ready: false });
        Assert.True((await world.Replicas.GetAsync(ObjectKey.Of(replica), Cancelled))!.Status!.Ready);
        using (var process = Process.GetProcessById(pid))
        {
            process.Kill();
        }

        await world.SeeAsync(replica, seen => seen.Status is { Ready: false });

        await Lab.DoAsync("start-engine", Host);
        var back = await world.SeeHostAsync(Host.Name, seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready), TimeSpan.FromSeconds(60));

        // Counted by one agent, known to the next.
        Assert.InRange(back.Status!.Flapping!.FailedAt!.Value, lost.LastTransitionTime.AddSeconds(-1), lost.LastTransitionTime.AddSeconds(1));
        await world.SeeAsync(waiting, seen => seen.Status is { Ready: true }, TimeSpan.FromSeconds(60));
        await world.SeeAsync(replica, seen => seen.Status is { Ready: true }, TimeSpan.FromSeconds(60));
        await world.RemoveAsync(waiting);
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task An_engine_that_hangs_is_Unknown_within_seconds_and_a_deletion_waits_for_it()
    {
        var replica = await world.AddReadyReplicaAsync(Host.Name);
        await Lab.DoAsync("freeze", Host);
        try
        {
            var silent = await world.SeeHostAsync(
                Host.Name,
                seen => Conditions.Find(seen.Status?.Conditions, ConditionTypes.Ready) is { Status: Conditions.Unknown },
                TimeSpan.FromSeconds(10));
            Assert.Equal("EngineSilent", Conditions.Find(silent.Status!.Conditions, ConditionTypes.Ready)!.Reason);
            await world.DeleteAsync(replica);
            await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.Stopping, Reason: "HostUnreachable" });
        }
        finally
        {
            await Lab.DoAsync("thaw", Host);
        }

        await world.SeeGoneAsync(replica);
        await world.SeeHostAsync(Host.Name, seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready));
    }

    private Task PatchAsync(string host, object spec) => world.Hosts.MergePatchAsync(new ObjectKey(null, host), new { spec }, Cancelled);

    private async Task<V1Condition> SeeNotReadyAsync(string host, string reason, TimeSpan? within = null)
    {
        var seen = await world.SeeHostAsync(
            host,
            seen => Conditions.Find(seen.Status?.Conditions, ConditionTypes.Ready) is { Status: Conditions.False } condition && condition.Reason == reason,
            within);
        return Conditions.Find(seen.Status!.Conditions, ConditionTypes.Ready)!;
    }
}
