using System.Net;
using System.Text.Json;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests;

/// <summary>A canary as the API tells it to a whole proxy, and as the proxy tells it back.</summary>
public sealed class CanaryTests
{
    private static readonly DateTime Since = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_canary_gets_what_its_weight_says_and_the_lease_tells_what_came_of_it()
    {
        const int requests = 2000;
        await using var cluster = await TestCluster.StartAsync();
        await using var stable = await ReplicaServer.StartAsync("stable");
        await using var canary = await ReplicaServer.StartAsync("canary");
        await cluster.CreateCanaryAppAsync("weighed");
        await cluster.SetStatusAsync("weighed", new { currentRevision = "r1", updateRevision = "r1" });
        await cluster.CreateReplicaAsync("weighed", stable, "r1");
        await using var proxy = await cluster.StartProxyAsync();

        // A new revision gets nothing before the controller says so.
        await cluster.CreateReplicaAsync("weighed", canary, "r2");
        await SeeAsync(proxy, routes => routes.Split("\"side\"").Length == 3);
        Assert.Equal(["stable"], (await AskAsync(proxy, "weighed", 50)).Keys);

        await cluster.SetCanaryAsync("weighed", weight: 10, Since);
        await SeeAsync(proxy, routes => routes.Contains("\"othersPercent\": 10", StringComparison.Ordinal));

        // It counts a moment after it shares.
        await Eventually.See(cluster.LeaseAsync, lease => lease.Metadata.Annotations.ContainsKey(Annotations.Canaries));
        var answers = await AskAsync(proxy, "weighed", requests);
        Assert.Equal(requests, answers.Values.Sum());

        // Six standard deviations: by chance once in a billion.
        Assert.InRange(answers["canary"], 120, 280);
        var told = await Eventually.See(
            async () => CanaryObservation.Read((await cluster.LeaseAsync()).Metadata.Annotations.TryGetValue(Annotations.Canaries, out var text) ? text : null),
            seen => seen.Sum(one => one.Stable.Requests + one.Canary.Requests) == requests);
        var observation = Assert.Single(told);
        Assert.Equal(("default/weighed", "r2", Since), (observation.App, observation.Revision, observation.Since));
        Assert.Equal((answers["canary"], 0), (observation.Canary.Requests, observation.Canary.Errors));
        Assert.Equal((answers["stable"], 0), (observation.Stable.Requests, observation.Stable.Errors));
        Assert.Equal(requests, observation.Canary.Latencies.Sum() + observation.Stable.Latencies.Sum());
        Assert.Contains(
            $"orchestrator_proxy_canary_requests_total{{namespace=\"default\",app=\"weighed\",side=\"canary\",code=\"2xx\"}} {answers["canary"]}\n",
            await AdminAsync(proxy, "metrics"),
            StringComparison.Ordinal);

        await cluster.SetCanaryAsync("weighed", weight: 100, Since.AddMinutes(5));
        await SeeAsync(proxy, routes => routes.Contains("\"othersPercent\": 100", StringComparison.Ordinal));
        Assert.Equal(["canary"], (await AskAsync(proxy, "weighed", 50)).Keys);

        await cluster.EndCanaryAsync("weighed", current: "r1");
        await SeeAsync(proxy, routes => routes.Contains("\"othersPercent\": 0", StringComparison.Ordinal));
        Assert.Equal(["stable"], (await AskAsync(proxy, "weighed", 50)).Keys);
        await Eventually.See(cluster.LeaseAsync, lease => !lease.Metadata.Annotations.ContainsKey(Annotations.Canaries));
        Assert.DoesNotContain("app=\"weighed\",side=\"canary\"", await AdminAsync(proxy, "metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canary_keeps_its_weight_through_a_restart_of_the_proxy_without_the_api()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var stable = await ReplicaServer.StartAsync("stable");
        await using var canary = await ReplicaServer.StartAsync("canary");
        await cluster.CreateCanaryAppAsync("web");
        await cluster.CreateReplicaAsync("web", stable, "r1");
        await cluster.CreateReplicaAsync("web", canary, "r2");
        await cluster.SetCanaryAsync("web", weight: 100, Since);
        await using (var first = await cluster.StartProxyAsync())
        {
            await SeeAsync(first, routes => routes.Contains("\"othersPercent\": 100", StringComparison.Ordinal));
            await first.WaitForSyncAsync(Cancellation);
        }

        await cluster.StopApiAsync();
        await using var second = await cluster.StartProxyAsync();

        Assert.Equal(["canary"], (await AskAsync(second, "web", 50)).Keys);
        var app = JsonSerializer.Deserialize<JsonElement>(await AdminAsync(second, "routes"))[0];
        Assert.Equal("r1", app.GetProperty("split").GetProperty("stable").GetString());
        Assert.Equal(
            ["others r2", "stable r1"],
            app.GetProperty("endpoints").EnumerateArray().Select(one => $"{one.GetProperty("side")} {one.GetProperty("revision")}").Order());
    }

    /// <summary>How often each server of the app answered. Every answer is a 200.</summary>
    private static async Task<Dictionary<string, int>> AskAsync(ProxyServer proxy, string app, int requests)
    {
        using var client = TestProxy.NewClient(new Uri($"http://127.0.0.1:{proxy.Address.Port}/"));
        var answers = new List<string>(requests);
        for (var i = 0; i < requests; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = $"{app}.example.org" } };
            using var response = await client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            answers.Add(await response.Content.ReadAsStringAsync(Cancellation));
        }

        return answers.CountBy(answer => answer).ToDictionary();
    }

    private static Task SeeAsync(ProxyServer proxy, Func<string, bool> holds) => Eventually.See(() => AdminAsync(proxy, "routes"), holds);

    private static async Task<string> AdminAsync(ProxyServer proxy, string path)
    {
        using var client = TestProxy.NewClient(new Uri($"http://{proxy.AdminAddress}/"));
        return await client.GetStringAsync(path, Cancellation);
    }
}
