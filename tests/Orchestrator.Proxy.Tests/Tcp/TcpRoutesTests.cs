using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Tcp;

/// <summary>A whole proxy on a real API server; the test is controller and host agent.</summary>
public sealed class TcpRoutesTests
{
    private readonly int _port = FreePort.Next();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Route TcpRoute => new() { Protocol = ReplicaProtocols.Tcp, Port = _port };

    [Fact]
    public async Task A_replica_that_goes_gets_no_new_connection_and_is_acknowledged_when_its_last_one_has_ended()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        await using var one = new TcpReplica("one");
        await using var two = new TcpReplica("two");
        await cluster.CreateAppAsync("echo", TcpRoute);
        var leaving = await CreateReplicaAsync(cluster, one);
        await Eventually.True(async () => await GreetingAsync() == "one");
        using var open = await ConnectAsync();
        await open.ReceiveLineAsync();
        await CreateReplicaAsync(cluster, two);
        await Eventually.True(async () => await GreetingAsync() == "two");

        await cluster.Replicas.DeleteAsync(ObjectKey.Of(leaving), null, Cancellation);
        await Eventually.True(() => one.OpenConnections == 1);
        await Eventually.True(async () =>
        {
            // Power of two choices would send it to the idler one now and again, were it there.
            var before = one.Accepted;
            for (var i = 0; i < 10; i++)
            {
                Assert.Equal("two", await GreetingAsync());
            }

            return one.Accepted == before;
        });
        await open.SendAsync("still here");
        Assert.Equal("still here", await open.ReceiveAsync(10));
        Assert.DoesNotContain(leaving.Metadata.Uid, await DrainedAsync(cluster), StringComparison.Ordinal);

        open.Dispose();
        await Eventually.See(() => DrainedAsync(cluster), drained => drained == leaving.Metadata.Uid);
    }

    [Fact]
    public async Task Connections_outlive_a_proxy_that_is_replaced_and_are_reset_when_its_time_for_them_is_over()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var first = await cluster.StartProxyAsync(options => options with { DrainTimeout = TimeSpan.FromSeconds(2), StateFolder = cluster.StateFolder + "-1" });
        await using var one = new TcpReplica("one");
        await cluster.CreateAppAsync("echo", TcpRoute);
        await CreateReplicaAsync(cluster, one);
        await Eventually.True(async () => await GreetingAsync() == "one");
        using var open = await ConnectAsync();
        await open.ReceiveLineAsync();

        await using var second = await cluster.StartProxyAsync(options => options with { Port = first.Address.Port, TakeOver = true, StateFolder = cluster.StateFolder + "-2" });
        await second.WaitForSyncAsync(Cancellation);
        await Eventually.True(async () => (await AdminAsync(second, "metrics")).Contains($"orchestrator_proxy_listener_open{{port=\"{_port}\"}} 1", StringComparison.Ordinal));
        var stopping = first.StopAsync(CancellationToken.None);
        await open.SendAsync("still here");
        Assert.Equal("still here", await open.ReceiveAsync(10));
        await open.IsResetAsync();
        await stopping;

        await Eventually.True(async () => await GreetingAsync() == "one");
    }

    [Fact]
    public async Task Without_the_api_the_port_is_served_through_a_restart()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var one = new TcpReplica("one");
        var first = await cluster.StartProxyAsync();
        await cluster.CreateAppAsync("echo", TcpRoute);
        var replica = await CreateReplicaAsync(cluster, one);
        await Eventually.True(async () => await GreetingAsync() == "one");
        await Eventually.True(() => File.ReadAllText(Path.Combine(cluster.StateFolder, "routes.json")) is var stored
            && stored.Contains(replica.Metadata.Uid, StringComparison.Ordinal) && stored.Contains("\"version\":3", StringComparison.Ordinal));

        await cluster.StopApiAsync();
        await first.DisposeAsync();
        await using var second = await cluster.StartProxyAsync();

        await Eventually.True(async () => await GreetingAsync() == "one");
    }

    [Fact]
    public async Task A_port_changes_from_http_to_tcp_with_the_app_that_has_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        await using var web = await ReplicaServer.StartAsync("web");
        await using var one = new TcpReplica("one");
        await cluster.CreateAppAsync("a-web", new Route { Port = _port });
        await cluster.CreateReplicaAsync("a-web", web);
        using var client = TestProxy.NewClient(new Uri($"http://127.0.0.1:{_port}/"));
        await Eventually.True(async () => await client.GetStringAsync("/", Cancellation) == "web");
        await cluster.CreateAppAsync("echo", TcpRoute);
        await CreateReplicaAsync(cluster, one);
        Assert.Equal("web", await client.GetStringAsync("/", Cancellation));

        await cluster.Apps.DeleteAsync(new ObjectKey(cluster.Namespace, "a-web"), null, Cancellation);

        // A connection that comes before is one for HTTP, where the client has the first word.
        await Eventually.See(() => AdminAsync(proxy, "routes"), routes => routes.Contains($"tcp:{_port}", StringComparison.Ordinal));
        Assert.Equal("one", await GreetingAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("/", Cancellation));
    }

    [Fact]
    public async Task The_shared_port_is_no_port_for_tcp_and_that_is_told_on_the_lease()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync(options => options with { Port = _port });

        await cluster.CreateAppAsync("echo", TcpRoute);

        await Eventually.See(
            cluster.LeaseAsync,
            lease => lease.Metadata.Annotations.TryGetValue(Annotations.ListenerErrors, out var errors)
                && errors == $"{_port}: it is the port of the shared listener (--listen), which serves HTTP");
    }

    [Fact]
    public async Task Metrics_and_log_tell_of_connections_and_go_with_the_app()
    {
        using var folder = new TemporaryFolder();
        await using var cluster = await TestCluster.StartAsync();
        await using (var proxy = await cluster.StartProxyAsync(options => options with { AccessLog = folder["access.log"] }))
        {
            await using var one = new TcpReplica("one");
            await cluster.CreateAppAsync("told", TcpRoute);
            var replica = await CreateReplicaAsync(cluster, one, "told");
            await Eventually.True(() => ListensAsync(proxy));
            using (var user = await ConnectAsync())
            {
                await user.ReceiveLineAsync();
                await user.SendAsync("three");
                user.EndSending();
                Assert.Equal("three", await user.ReceiveToEndAsync());
            }

            await Eventually.See(
                () => AdminAsync(proxy, "metrics"),
                seen => seen.Contains("orchestrator_proxy_tcp_connections_total{namespace=\"default\",app=\"told\",end=\"Closed\"} 1\n", StringComparison.Ordinal)
                    && seen.Contains("orchestrator_proxy_tcp_connections{namespace=\"default\",app=\"told\"} 0\n", StringComparison.Ordinal)
                    && seen.Contains("orchestrator_proxy_tcp_bytes_total{namespace=\"default\",app=\"told\",direction=\"in\"} 5\n", StringComparison.Ordinal)
                    && seen.Contains("orchestrator_proxy_tcp_bytes_total{namespace=\"default\",app=\"told\",direction=\"out\"} 9\n", StringComparison.Ordinal));
            await cluster.Apps.DeleteAsync(new ObjectKey("default", "told"), null, Cancellation);
            await Eventually.See(() => AdminAsync(proxy, "metrics"), seen => !seen.Contains("told", StringComparison.Ordinal));
        }

        var line = JsonSerializer.Deserialize<JsonElement>(Assert.Single(await File.ReadAllLinesAsync(folder["access.log"], Cancellation)));
        Assert.Equal(
            ("127.0.0.1", "TCP", _port, "Closed", 5, 9, 200, "default/told"),
            (Text("client"), Text("protocol"), Number("port"), Text("end"), Number("bytesIn"), Number("bytes"), Number("status"), Text("app")));
        Assert.False(line.TryGetProperty("method", out _));

        string? Text(string name) => line.GetProperty(name).GetString();
        int Number(string name) => line.GetProperty(name).GetInt32();
    }

    private static Task<Replica> CreateReplicaAsync(TestCluster cluster, TcpReplica server, string app = "echo") =>
        cluster.CreateReplicaAsync(app, server.Name, server.Id.Port);

    private static async Task<string> DrainedAsync(TestCluster cluster) => (await cluster.LeaseAsync()).Metadata.Annotations[Annotations.Drained];

    private async Task<bool> ListensAsync(ProxyServer proxy) =>
        (await AdminAsync(proxy, "metrics")).Contains($"orchestrator_proxy_listener_open{{port=\"{_port}\"}} 1", StringComparison.Ordinal)
        && (await AdminAsync(proxy, "routes")).Contains("InFlight", StringComparison.OrdinalIgnoreCase);

    private async Task<string> GreetingAsync()
    {
        using var user = await ConnectAsync();
        return await user.ReceiveLineAsync();
    }

    private async Task<TcpUser> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _port), Cancellation);
        return new(socket);
    }

    private static async Task<string> AdminAsync(ProxyServer proxy, string path)
    {
        using var client = TestProxy.NewClient(new Uri($"http://{proxy.AdminAddress}/"));
        return await client.GetStringAsync(path, Cancellation);
    }
}
