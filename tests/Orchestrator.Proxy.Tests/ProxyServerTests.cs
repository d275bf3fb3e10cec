using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests;

public sealed class ProxyServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_go_to_ready_replicas_as_the_api_tells_them()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        await using var one = await ReplicaServer.StartAsync("one");
        await using var two = await ReplicaServer.StartAsync("two");

        await Eventually.See(() => AskAsync(proxy, "web"), answer => answer.StartsWith("404", StringComparison.Ordinal));
        await cluster.CreateAppAsync("web");
        await Eventually.See(() => AskAsync(proxy, "web"), answer => answer.StartsWith("503", StringComparison.Ordinal));
        await cluster.CreateReplicaAsync("web", one);
        await Eventually.See(() => AskAsync(proxy, "web"), answer => answer == "one");
        var second = await cluster.CreateReplicaAsync("web", two);
        await Eventually.See(() => AskAsync(proxy, "web"), answer => answer == "two");
        await cluster.SetReadyAsync(second, two, ready: false);
        await Eventually.See(() => RoutesAsync(proxy), routes => !routes.Contains(second.Metadata.Uid, StringComparison.Ordinal));
        Assert.Equal("one", await AskAsync(proxy, "web"));

        await cluster.Apps.MergePatchAsync(
            new ObjectKey("default", "web"), new { spec = new { route = new Route { Hosts = ["shop.example.org"] } } }, Cancellation);
        await Eventually.See(() => AskAsync(proxy, "shop"), answer => answer == "one");
        Assert.StartsWith("404", await AskAsync(proxy, "web"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_no_replica_is_ready_requests_go_to_those_that_were_merely_not_heard_of_in_time()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        await using var one = await ReplicaServer.StartAsync("one");
        await using var two = await ReplicaServer.StartAsync("two");
        await cluster.CreateAppAsync("web");
        var (first, second) = (await cluster.CreateReplicaAsync("web", one), await cluster.CreateReplicaAsync("web", two));
        await SeeServing(first, second);

        await cluster.SetUnreadyAsync(first, UnheardReasons.ReadinessProbeTimedOut);
        await SeeServing(second);
        await cluster.SetUnreadyAsync(second, UnheardReasons.HostSilent);
        await SeeServing(first, second);
        Assert.Contains(await AskAsync(proxy, "web"), new[] { "one", "two" });
        await cluster.SetUnreadyAsync(first, "ReadinessProbeFailed");
        await SeeServing(second);
        await cluster.SetReadyAsync(first, one, ready: true);
        await SeeServing(first);
        await cluster.SetUnreadyAsync(first, UnheardReasons.ReadinessProbeTimedOut);
        await cluster.Replicas.DeleteAsync(ObjectKey.Of(second), null, Cancellation);
        await SeeServing(first);
        await cluster.SetUnreadyAsync(first, "ReadinessProbeFailed");
        await SeeServing();
        Assert.StartsWith("503 NoReadyReplica", await AskAsync(proxy, "web"), StringComparison.Ordinal);

        Task SeeServing(params Replica[] serving) => Eventually.See(
            () => RoutesAsync(proxy),
            routes => new[] { first, second }.All(replica => routes.Contains(replica.Metadata.Uid, StringComparison.Ordinal) == serving.Contains(replica)));
    }

    [Fact]
    public async Task A_proxy_that_knows_its_zone_prefers_replicas_there_as_their_agents_tell_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync(options => options with { Zone = "a" });
        await using var far = await ReplicaServer.StartAsync("far");
        await using var near = await ReplicaServer.StartAsync("near");
        await cluster.CreateAppAsync("web", new Route { Hosts = ["web.example.org"], TrafficDistribution = "PreferSameZone" });
        await cluster.CreateReplicaAsync("web", far);
        await Eventually.See(() => AskAsync(proxy, "web"), answer => answer == "far");
        var replica = await cluster.CreateReplicaAsync("web", near);

        await cluster.Replicas.MergePatchStatusAsync(ObjectKey.Of(replica), new { status = new { zone = "a" } }, Cancellation);

        await Eventually.See(() => RoutesAsync(proxy), routes => routes.Contains("\"zone\": \"a\"", StringComparison.Ordinal));
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("near", await AskAsync(proxy, "web"));
        }
    }

    [Fact]
    public async Task A_deleting_replica_is_acknowledged_when_its_last_request_has_ended_and_not_before()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        var (arrived, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await ReplicaServer.StartAsync("slow", async context =>
        {
            if (context.Request.Path == "/slow")
            {
                arrived.TrySetResult();
                await answer.Task;
            }

            await context.Response.WriteAsync("slow");
        });
        await cluster.CreateAppAsync("web");
        var replica = await cluster.CreateReplicaAsync("web", server);
        await Eventually.See(() => AskAsync(proxy, "web"), seen => seen == "slow");
        var request = AskAsync(proxy, "web", "slow");
        await arrived.Task.WaitAsync(Cancellation);

        await cluster.Replicas.DeleteAsync(ObjectKey.Of(replica), null, Cancellation);
        await Eventually.See(() => AskAsync(proxy, "web"), seen => seen.StartsWith("503", StringComparison.Ordinal));
        var renewed = (await cluster.LeaseAsync()).Spec.RenewTime;
        var lease = await Eventually.See(cluster.LeaseAsync, seen => seen.Spec.RenewTime > renewed);
        Assert.Equal("", lease.Metadata.Annotations[Annotations.Drained]);
        Assert.False(request.IsCompleted);

        answer.SetResult();
        Assert.Equal("slow", await request);
        await Eventually.See(cluster.LeaseAsync, seen => seen.Metadata.Annotations[Annotations.Drained] == replica.Metadata.Uid);

        await cluster.ReleaseAsync(replica);
        await Eventually.See(cluster.LeaseAsync, seen => seen.Metadata.Annotations[Annotations.Drained] == "");
    }

    [Fact]
    public async Task A_proxy_that_has_just_started_acknowledges_what_is_deleting_already()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var server = await ReplicaServer.StartAsync("web");
        await cluster.CreateAppAsync("web");
        var replica = await cluster.CreateReplicaAsync("web", server);
        await cluster.Replicas.DeleteAsync(ObjectKey.Of(replica), null, Cancellation);

        await using var proxy = await cluster.StartProxyAsync();

        var lease = await Eventually.See(cluster.LeaseAsync, seen => seen.Spec.RenewTime is not null);
        Assert.Equal(replica.Metadata.Uid, lease.Metadata.Annotations[Annotations.Drained]);
        Assert.Equal(10, lease.Spec.LeaseDurationSeconds);
        Assert.StartsWith("test-", lease.Metadata.Name, StringComparison.Ordinal);
        Assert.StartsWith("503", await AskAsync(proxy, "web"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sites_stay_up_without_the_api_through_a_restart_of_the_proxy_and_it_catches_up_after()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var one = await ReplicaServer.StartAsync("one");
        await using var two = await ReplicaServer.StartAsync("two");
        var first = await cluster.StartProxyAsync();
        await cluster.CreateAppAsync("web");
        var replica = await cluster.CreateReplicaAsync("web", one);
        await Eventually.See(() => AskAsync(first, "web"), answer => answer == "one");
        await Eventually.True(() => File.ReadAllText(Path.Combine(cluster.StateFolder, "routes.json")).Contains(replica.Metadata.Uid, StringComparison.Ordinal));

        await cluster.StopApiAsync();
        Assert.Equal("one", await AskAsync(first, "web"));

        await first.DisposeAsync();
        await using var second = await cluster.StartProxyAsync();
        Assert.Equal("one", await AskAsync(second, "web"));
        Assert.Equal("200 ok\n", await AdminAsync(second, "readyz"));
        Assert.StartsWith("503", await AskAsync(second, "unknown"), StringComparison.Ordinal);

        await cluster.StartApiAsync();
        await cluster.CreateAppAsync("new");
        await cluster.CreateReplicaAsync("new", two);
        await Eventually.See(() => AskAsync(second, "new"), answer => answer == "two");
        Assert.Equal("one", await AskAsync(second, "web"));
        Assert.StartsWith("404", await AskAsync(second, "unknown"), StringComparison.Ordinal);
        await Eventually.True(async () => (await cluster.AllLeasesAsync()).Any(lease => lease.Spec.RenewTime > lease.Spec.AcquireTime));
    }

    [Fact]
    public async Task A_stop_finishes_what_is_in_flight_and_gives_up_the_lease()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        var (arrived, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            arrived.TrySetResult();
            await answer.Task;
            await context.Response.WriteAsync("finished");
        });
        await cluster.CreateAppAsync("web");
        await cluster.CreateReplicaAsync("web", server);
        await Eventually.See(cluster.LeaseAsync, seen => seen.Spec.RenewTime is not null);
        await Eventually.See(() => RoutesAsync(proxy), routes => routes.Contains($":{server.Port}", StringComparison.Ordinal));
        var request = AskAsync(proxy, "web");
        await arrived.Task.WaitAsync(Cancellation);

        var stopping = proxy.StopAsync(Cancellation);
        await Eventually.True(async () => (await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(proxy, "none")))
            .HttpRequestError == HttpRequestError.ConnectionError);
        Assert.Equal("503 stopping\n", await AdminAsync(proxy, "readyz"));
        Assert.Single(await cluster.AllLeasesAsync());
        Assert.False(stopping.IsCompleted);

        answer.SetResult();
        Assert.Equal("finished", await request);
        await stopping;
        Assert.Empty(await cluster.AllLeasesAsync());
    }

    [Fact]
    public async Task A_stop_aborts_what_outlasts_the_drain_timeout()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync(options => options with { DrainTimeout = TimeSpan.FromMilliseconds(300) });
        var arrived = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        });
        await cluster.CreateAppAsync("web");
        await cluster.CreateReplicaAsync("web", server);
        await Eventually.See(() => RoutesAsync(proxy), routes => routes.Contains($":{server.Port}", StringComparison.Ordinal));
        var request = AskAsync(proxy, "web");
        await arrived.Task.WaitAsync(Cancellation);

        await proxy.StopAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancellation);

        await Assert.ThrowsAsync<HttpRequestException>(() => request);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_on_the_lease()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        await cluster.CreateAppAsync("web", new Route { Port = port });

        await Eventually.See(
            cluster.LeaseAsync,
            lease => lease.Metadata.Annotations.TryGetValue(Annotations.ListenerErrors, out var errors) && errors == $"{port}: Address already in use");
        taken.Stop();
        await Eventually.See(cluster.LeaseAsync, lease => !lease.Metadata.Annotations.ContainsKey(Annotations.ListenerErrors));
    }

    [Fact]
    public async Task A_claim_on_the_shared_port_that_another_app_has_is_told_on_the_lease()
    {
        await using var cluster = await TestCluster.StartAsync();
        var port = FreePort.Next();
        await using var proxy = await cluster.StartProxyAsync(options => options with { Port = port });
        await cluster.CreateAppAsync("shop", new Route { Hosts = ["example.org"] });
        await cluster.CreateAppAsync("web", new Route { Hosts = ["example.org", "web.example.org"], Port = port });

        await Eventually.See(
            cluster.LeaseAsync,
            lease => lease.Metadata.Annotations.TryGetValue(Annotations.ListenerErrors, out var errors)
                && errors == $"example.org:{port}/: is on the shared listener, where default/shop is served");
        await cluster.Apps.DeleteAsync(new(cluster.Namespace, "shop"), uid: null, Cancellation);
        await Eventually.See(cluster.LeaseAsync, lease => !lease.Metadata.Annotations.ContainsKey(Annotations.ListenerErrors));
    }

    [Fact]
    public async Task Metrics_are_there_with_the_app_and_go_with_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        await using var server = await ReplicaServer.StartAsync("web");
        await cluster.CreateAppAsync("counted");
        await cluster.CreateReplicaAsync("counted", server);
        await Eventually.See(() => AskAsync(proxy, "counted"), answer => answer == "web");

        var metrics = await AdminAsync(proxy, "metrics");
        Assert.Contains("orchestrator_proxy_requests_total{namespace=\"default\",app=\"counted\",code=\"2xx\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("orchestrator_proxy_request_duration_seconds_bucket{namespace=\"default\",app=\"counted\",le=\"60\"}", metrics, StringComparison.Ordinal);
        Assert.Contains("orchestrator_proxy_requests_in_flight{namespace=\"default\",app=\"counted\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.Contains("orchestrator_proxy_retries_total{namespace=\"default\",app=\"counted\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("microsoft_", metrics, StringComparison.Ordinal);

        await cluster.Apps.DeleteAsync(new ObjectKey("default", "counted"), null, Cancellation);
        await Eventually.See(() => AdminAsync(proxy, "metrics"), seen => !seen.Contains("counted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_access_log_has_a_line_a_request()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var folder = new TemporaryFolder();
        await using (var proxy = await cluster.StartProxyAsync(options => options with { AccessLog = folder["access.log"] }))
        {
            await using var server = await ReplicaServer.StartAsync("web");
            await cluster.CreateAppAsync("web");
            await cluster.CreateReplicaAsync("web", server);
            await Eventually.See(() => RoutesAsync(proxy), routes => routes.Contains($":{server.Port}", StringComparison.Ordinal));
            Assert.Equal("web", await AskAsync(proxy, "web", "a?b=\"c\""));
            Assert.StartsWith("404", await AskAsync(proxy, "none"), StringComparison.Ordinal);
        }

        var lines = (await File.ReadAllLinesAsync(folder["access.log"], Cancellation)).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        Assert.Equal([200, 404], lines.Select(line => line.GetProperty("status").GetInt32()));
        Assert.Equal("default/web", lines[0].GetProperty("app").GetString());
        Assert.Equal("/a?b=%22c%22", lines[0].GetProperty("target").GetString());
        Assert.Equal("web.example.org", lines[0].GetProperty("host").GetString());
        Assert.Equal("127.0.0.1", lines[0].GetProperty("client").GetString());
    }

    /// <summary>The body, after the status if it is an error.</summary>
    private static async Task<string> AskAsync(ProxyServer proxy, string app, string target = "")
    {
        using var client = TestProxy.NewClient(new Uri($"http://127.0.0.1:{proxy.Address.Port}/"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/" + target) { Headers = { Host = $"{app}.example.org" } };
        using var response = await client.SendAsync(request, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<string> AdminAsync(ProxyServer proxy, string path)
    {
        using var client = TestProxy.NewClient(new Uri($"http://{proxy.AdminAddress}/"));
        using var response = await client.GetAsync(path, Cancellation);
        var body = await response.Content.ReadAsStringAsync(Cancellation);
        return path == "metrics" ? body : $"{(int)response.StatusCode} {body}";
    }

    private static Task<string> RoutesAsync(ProxyServer proxy) => AdminAsync(proxy, "routes");
}
