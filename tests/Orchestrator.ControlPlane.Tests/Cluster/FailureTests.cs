using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>What goes wrong, where the user reads of it, and what is done about it.</summary>
public sealed class FailureTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_replica_that_fits_nowhere_says_why_and_is_placed_once_there_is_room()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 2);
        await cluster.Api.HostClient.MergePatchAsync(new(null, "h2"), new { spec = new { unschedulable = true } }, TestEnd);
        await cluster.ApplyAsync("web", 1, spec => spec.Resources = new() { Requests = new Dictionary<string, ResourceQuantity> { ["memory"] = new("16Gi") } });
        var app = await cluster.WaitForAppAsync("web", seen => Available(seen).Contains("Unschedulable", StringComparison.Ordinal));
        Assert.Equal("0 of 1 replicas are ready; 1 of 1 replica: Unschedulable: 0/2 hosts: 1 cordoned, 1 insufficient memory", Available(app));
        var replica = Assert.Single(await cluster.ReplicasAsync("web"));
        Assert.Equal(("Pending", "Unschedulable"), (replica.Status!.Phase, replica.Status.Reason));
        Assert.Equal(Conditions.False, Conditions.Find(replica.Status.Conditions, ConditionTypes.Scheduled)!.Status);
        await Eventually.See(() => cluster.EventsAsync(replica.Metadata.Name),
            events => events.SequenceEqual(["Warning FailedScheduling: 0/2 hosts: 1 cordoned, 1 insufficient memory"]));

        await cluster.CreateHostAsync("h3", memory: "64Gi");
        await cluster.WaitForReadyAsync("web", 1);
        Assert.Equal("h3", (await cluster.ReplicasAsync("web"))[0].Spec.HostName);
    }

    [Fact]
    public async Task A_replica_whose_port_is_taken_is_replaced_and_the_port_is_not_given_again()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        cluster.Agent.StatusOf = replica => replica.Spec.HostPort <= 20001
            ? TestAgent.Failing(ReplicaView.PortUnavailable, $"port {replica.Spec.HostPort} is taken by something else")
            : TestAgent.Ready(replica);
        await cluster.ApplyAsync("web", 2);
        await cluster.WaitForReadyAsync("web", 2);

        Assert.All(await cluster.ReplicasAsync("web"), replica => Assert.True(replica.Spec.HostPort > 20001));
        Assert.Contains(await cluster.EventsAsync("web"), text => text.StartsWith("Warning ReplacedReplica", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failing_replica_is_named_with_its_reason_in_the_apps_condition()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Agent.StatusOf = replica => replica.Spec.HostName == "h2" ? TestAgent.Failing("ErrImagePull", "manifest unknown") : TestAgent.Ready(replica);
        await cluster.ApplyAsync("web", 3);
        var app = await cluster.WaitForAppAsync("web", seen => Available(seen).Contains("ErrImagePull", StringComparison.Ordinal) && seen.Status!.ReadyReplicas == 2);

        Assert.Equal("2 of 3 replicas are ready; 1 of 3 replicas: ErrImagePull: manifest unknown", Available(app));
    }

    [Fact]
    public async Task A_host_that_is_deleted_is_left_new_replicas_first_and_then_goes()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 3);
        await cluster.ApplyAsync("web", 3);
        await cluster.WaitForReadyAsync("web", 3);
        var fewestReady = int.MaxValue;
        cluster.ReplicaChanged = () => fewestReady = Math.Min(fewestReady, cluster.Api.Replicas.Items.Values.Count(
            replica => replica.Metadata.DeletionTimestamp is null && (replica.Status?.Ready ?? false)));
        await cluster.Api.HostClient.DeleteAsync(new(null, "h1"), null, TestEnd);

        await Eventually.True(async () => await cluster.Api.HostClient.GetAsync(new(null, "h1"), TestEnd) is null);
        await cluster.WaitForReadyAsync("web", 3);
        Assert.DoesNotContain(await cluster.ReplicasAsync("web"), replica => replica.Spec.HostName == "h1");
        Assert.Equal(3, fewestReady);
    }

    [Fact]
    public async Task Replicas_of_a_host_whose_object_was_taken_away_are_replaced_and_waited_for_by_nobody()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 2);
        await cluster.ApplyAsync("web", 4);
        await cluster.WaitForReadyAsync("web", 4);
        cluster.Agent.Stops = false;
        await cluster.Api.HostClient.DeleteAsync(new(null, "h1"), null, TestEnd);

        // After the deletion: before it, the controller would put its finalizer back.
        await cluster.Api.HostClient.MergePatchAsync(new(null, "h1"), new { metadata = new { finalizers = Array.Empty<string>() } }, TestEnd);

        var replicas = await Eventually.See(() => cluster.ReplicasAsync("web"),
            seen => seen.Count == 4 && seen.TrueForAll(replica => replica.Spec.HostName == "h2"));
        Assert.All(replicas, replica => Assert.Null(replica.Metadata.DeletionTimestamp));
    }

    [Fact]
    public async Task Replicas_of_a_silent_host_are_replaced_and_when_they_are_back_those_that_level_the_hosts_stay()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 3);
        await cluster.Api.HostClient.MergePatchAsync(new(null, "h2"), new { spec = new { unreachableAfterSeconds = 1 } }, TestEnd);
        await cluster.ApplyAsync("web", 6);
        await cluster.WaitForReadyAsync("web", 6);
        var before = await cluster.ReplicasAsync("web");
        Assert.Equal(2, before.Count(replica => replica.Spec.HostName == "h2"));

        await SilenceAsync(cluster, "h2");
        var during = await Eventually.See(() => cluster.ReplicasAsync("web"), seen => seen.Count == 8);
        await cluster.WaitForReadyAsync("web", 6);
        Assert.Subset(during.Select(replica => replica.Metadata.Uid).ToHashSet(), before.Select(replica => replica.Metadata.Uid).ToHashSet());
        Assert.Contains(await cluster.EventsAsync("web"), text => text.StartsWith("Warning ReplicasLost: ", StringComparison.Ordinal));

        cluster.Agent.StatusOf = TestAgent.Ready;
        cluster.Agent.LookAgain();
        await cluster.SetHostReadyAsync("h2", true, since: TimeProvider.System.GetUtcNow().UtcDateTime);
        var after = await Eventually.See(() => cluster.ReplicasAsync("web"), seen => seen.Count == 6);
        await cluster.WaitForReadyAsync("web", 6);
        Assert.Equal(before.Select(replica => replica.Metadata.Uid).Order(), after.Select(replica => replica.Metadata.Uid).Order());
    }

    [Fact]
    public async Task A_silence_that_ends_in_time_makes_nothing_twice_although_the_replicas_are_ready_only_after_their_host()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 3);
        await cluster.ApplyAsync("web", 3);
        await cluster.WaitForReadyAsync("web", 3);
        var before = (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order();
        var most = 0;
        cluster.ReplicaChanged = () => most = Math.Max(most, cluster.Api.Replicas.Items.Count);
        await cluster.Api.HostClient.MergePatchAsync(new(null, "h2"), new { spec = new { unreachableAfterSeconds = 600 } }, TestEnd);
        await SilenceAsync(cluster, "h2");
        await cluster.WaitForAppAsync("web", seen => seen.Status!.ReadyReplicas == 2);

        // The host is back before its replicas are; another app shows that this was seen.
        var silent = cluster.Agent.StatusOf;
        cluster.Agent.StatusOf = replica => replica.Spec.AppName == "web" ? silent(replica) : TestAgent.Ready(replica);
        await cluster.SetHostReadyAsync("h2", true, since: TimeProvider.System.GetUtcNow().UtcDateTime);
        await cluster.ApplyAsync("after", 1);
        await cluster.WaitForReadyAsync("after", 1);
        cluster.Agent.StatusOf = TestAgent.Ready;
        cluster.Agent.LookAgain();
        await cluster.WaitForReadyAsync("web", 3);

        Assert.Equal(before, (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order());
        Assert.Equal(4, most);
    }

    [Fact]
    public async Task When_most_hosts_fall_silent_at_once_nothing_is_replaced_and_the_app_says_so()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 3);
        foreach (var host in (string[])["h2", "h3"])
        {
            await cluster.Api.HostClient.MergePatchAsync(new(null, host), new { spec = new { unreachableAfterSeconds = 1 } }, TestEnd);
        }

        await cluster.ApplyAsync("web", 3);
        await cluster.WaitForReadyAsync("web", 3);
        var before = (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order();
        await SilenceAsync(cluster, "h2", "h3");
        var app = await cluster.WaitForAppAsync("web", seen => Available(seen).Contains(ReplicaView.HostsInDoubt, StringComparison.Ordinal));

        Assert.Equal(
            "1 of 3 replicas are ready; 2 of 3 replicas: HostsInDoubt: most hosts fell silent at once: it is not replaced until it is clear that they are gone",
            Available(app));
        Assert.Equal(before, (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order());
    }

    /// <summary>As their agents would write it.</summary>
    private static async Task SilenceAsync(TestCluster cluster, params string[] hosts)
    {
        cluster.Agent.StatusOf = replica => hosts.Contains(replica.Spec.HostName)
            ? new ReplicaStatus { Phase = ReplicaPhases.Running, Reason = "HostSilent" }
            : TestAgent.Ready(replica);
        cluster.Agent.LookAgain();
        foreach (var host in hosts)
        {
            await cluster.SetHostReadyAsync(host, false, since: TimeProvider.System.GetUtcNow().UtcDateTime);
        }
    }

    [Fact]
    public async Task Of_two_apps_that_claim_a_route_the_older_has_it_until_it_goes()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("aaa", 0, spec => spec.Route = new() { Hosts = ["example.org"] });
        await cluster.ApplyAsync("bbb", 0, spec => spec.Route = new() { Hosts = ["example.org", "b.example.org"] });
        var later = await cluster.WaitForAppAsync("bbb", seen => Route(seen)?.Status == Conditions.False);
        Assert.Equal(("RouteConflict", "example.org/ is served by sites/aaa"), (Route(later)!.Reason, Route(later)!.Message));
        await cluster.WaitForAppAsync("aaa", seen => Route(seen)?.Status == Conditions.True);
        await Eventually.See(() => cluster.EventsAsync("bbb"), events => events.Contains("Warning RouteConflict: example.org/ is served by sites/aaa"));

        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "aaa"), null, TestEnd);
        await cluster.WaitForAppAsync("bbb", seen => Route(seen)?.Status == Conditions.True);
    }

    [Fact]
    public async Task A_port_that_an_older_app_has_for_http_is_no_port_for_tcp_until_it_goes_and_the_other_way_round()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("aaa", 0, spec => spec.Route = new() { Hosts = ["example.org"], Port = 9090 });
        await cluster.ApplyAsync("bbb", 0, spec => spec.Route = new() { Protocol = ReplicaProtocols.Tcp, Port = 9090 });
        await cluster.ApplyAsync("ccc", 0, spec => spec.Route = new() { Port = 9090 });
        var later = await cluster.WaitForAppAsync("bbb", seen => Route(seen)?.Status == Conditions.False);
        Assert.Equal(("RouteConflict", "tcp:9090 is served by sites/aaa, for HTTP"), (Route(later)!.Reason, Route(later)!.Message));
        await cluster.WaitForAppAsync("ccc", seen => Route(seen)?.Status == Conditions.True);

        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "aaa"), null, TestEnd);
        await cluster.WaitForAppAsync("bbb", seen => Route(seen)?.Status == Conditions.True);
        var last = await cluster.WaitForAppAsync("ccc", seen => Route(seen)?.Status == Conditions.False);
        Assert.Equal("*:9090/ is served by sites/bbb, which has all of the port for TCP", Route(last)!.Message);
    }

    [Fact]
    public async Task A_listener_that_a_proxy_cannot_open_is_told_by_the_app_that_wants_it()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await cluster.ApplyAsync("web", 0, spec => spec.Route = new() { Port = 9090 });
        await cluster.ApplyAsync("shop", 0, spec => spec.Route = new() { Port = 9091 });
        await cluster.WaitForAppAsync("web", seen => Route(seen)?.Status == Conditions.True);
        await cluster.Api.LeaseClient.CreateAsync(
            new V1Lease
            {
                ApiVersion = $"{V1Lease.KubeGroup}/{V1Lease.KubeApiVersion}",
                Kind = V1Lease.KubeKind,
                Metadata = new()
                {
                    Name = "edge-1",
                    NamespaceProperty = ApiGroup.SystemNamespace,
                    Labels = new Dictionary<string, string> { [Labels.Component] = Labels.ProxyComponent },
                    Annotations = new Dictionary<string, string> { [Annotations.ListenerErrors] = "9090: Address already in use" },
                },
                Spec = new() { LeaseDurationSeconds = 3600 },
            },
            TestEnd);
        var app = await cluster.WaitForAppAsync("web", seen => Route(seen)?.Status == Conditions.False);
        Assert.Equal(("ListenerFailed", "9090: Address already in use (proxy edge-1)"), (Route(app)!.Reason, Route(app)!.Message));
        await Eventually.See(() => cluster.EventsAsync("web"), events => events.Contains("Warning ListenerFailed: 9090: Address already in use (proxy edge-1)"));
        await cluster.WaitForAppAsync("shop", seen => Route(seen)?.Status == Conditions.True);

        await cluster.Api.LeaseClient.DeleteAsync(new(ApiGroup.SystemNamespace, "edge-1"), null, TestEnd);
        await cluster.WaitForAppAsync("web", seen => Route(seen)?.Status == Conditions.True);
    }

    [Fact]
    public async Task A_host_shows_what_it_carries()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await cluster.ApplyAsync("web", 3, spec => spec.Resources = new()
        {
            Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("250m"), ["memory"] = new("64Mi") },
        });
        var host = await Eventually.See(() => cluster.Api.HostClient.GetAsync(new(null, "h1"), TestEnd), seen => seen?.Status?.Replicas == 3);

        Assert.Equal(("750m", "192Mi"), (host!.Status!.Allocated!["cpu"].ToString(), host.Status.Allocated["memory"].ToString()));
        Assert.Equal("8Gi", host.Status.Capacity!["memory"].ToString());
        Assert.Equal([Finalizers.Host], host.Metadata.Finalizers);
    }

    private static string Available(Api.WebApps.WebApp app) => Conditions.Find(app.Status?.Conditions, ConditionTypes.Available)?.Message ?? "";

    private static V1Condition? Route(Api.WebApps.WebApp app) => Conditions.Find(app.Status?.Conditions, ConditionTypes.RouteAccepted);
}
