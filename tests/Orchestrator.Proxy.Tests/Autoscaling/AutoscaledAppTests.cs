using Microsoft.AspNetCore.Http;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Leasing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Autoscaling;

/// <summary>A whole proxy on a real API server; the test is the controllers.</summary>
public sealed class AutoscaledAppTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task That_somebody_waits_is_told_at_once_and_the_first_replica_answers()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        await using var server = await ReplicaServer.StartAsync("one");
        await CreateAppAsync(cluster, min: 0);
        await Eventually.True(async () => await SeenAsync(cluster) is { RequestsPerSecond: not null, Waiting: 0 });

        using var client = TestProxy.NewClient(new Uri($"http://{proxy.Address}/"));
        var answer = AskAsync(client);
        await Eventually.See(cluster.LeaseAsync, lease => Read(lease) is { Waiting: 1 });
        Assert.False(answer.IsCompleted);
        await cluster.CreateReplicaAsync("web", server);

        Assert.Equal("one", await answer);
        await Eventually.True(async () => await SeenAsync(cluster) is { RequestsPerSecond: > 0, Waiting: 0 });
    }

    [Fact]
    public async Task It_is_no_matter_of_renewals_that_somebody_waits()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var lease = new LeaseUnderTest(cluster);
        await CreateAppAsync(cluster, min: 0);
        await Eventually.True(() => lease.Routes.Table.Apps.Any(app => app.Wish is not null));
        await lease.AdvanceUntil(TimeSpan.FromMilliseconds(330), () => lease.Writes is [.., { Traffic: not null }]);
        var before = lease.Writes[^1];

        using var gone = new CancellationTokenSource();
        var waits = lease.App.HoldAsync(lease.Time.GetTimestamp(), gone.Token);
        await lease.AdvanceUntil(ProxyLease.Coalesce, () => lease.Writes[^1].Traffic is { Apps: [{ Waiting: 1 }] });

        Assert.InRange(lease.Writes[^1].At - before.At, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        await gone.CancelAsync();
        Assert.Equal(HoldEnd.ClientGone, await waits);
    }

    [Fact]
    public async Task Rates_are_told_with_renewals_alone_and_of_apps_that_are_not_scaled_by_them_too()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var lease = new LeaseUnderTest(cluster);
        await Eventually.True(() => lease.Writes.Count == 1);
        Assert.Null(lease.Writes[0].Traffic);

        await CreateAppAsync(cluster, min: 1);
        await Eventually.True(() => lease.Routes.Table.Apps.Any(app => app.Wish is not null));
        await lease.AdvanceUntil(TimeSpan.FromMilliseconds(990), () => lease.Writes[^1].Traffic is { Apps: [{ RequestsPerSecond: not null }] });

        SeeOnlyRenewals(lease);

        await cluster.Apps.MergePatchAsync(
            new ObjectKey("default", "web"), new { spec = new Dictionary<string, object?> { ["autoscaling"] = null } }, Cancellation);
        await Eventually.True(() => lease.App.Wish is null);
        Fail(lease.App, requests: 3);
        await lease.AdvanceUntil(TimeSpan.FromMilliseconds(990), () => lease.Writes[^1].Traffic is { Apps: [{ ErrorsPerSecond: > 0 }] });
        SeeOnlyRenewals(lease);

        await cluster.Apps.DeleteAsync(new ObjectKey("default", "web"), uid: null, Cancellation);
        await Eventually.True(() => lease.Routes.Table.Apps.Count == 0);
        await lease.AdvanceUntil(TimeSpan.FromMilliseconds(990), () => lease.Writes[^1].Traffic is null);
    }

    private static void SeeOnlyRenewals(LeaseUnderTest lease)
    {
        var writes = lease.Writes;
        Assert.All(writes.Zip(writes.Skip(1)).Skip(1), pair => Assert.InRange(pair.Second.At - pair.First.At, ProxyLease.RenewPeriod, TimeSpan.MaxValue));
    }

    private static void Fail(AppState app, int requests)
    {
        for (var n = 0; n < requests; n++)
        {
            app.Traffic.Begin();
            app.Traffic.End(StatusCodes.Status502BadGateway, took: null);
        }
    }

    private static Task<WebApp> CreateAppAsync(TestCluster cluster, int min) => cluster.Apps.CreateAsync(
        new WebApp
        {
            Metadata = new() { Name = "web", NamespaceProperty = "default" },
            Spec =
            {
                Image = "web",
                Route = new() { Hosts = ["web.example.org"] },
                Autoscaling = new()
                {
                    MinReplicas = min,
                    MaxReplicas = 5,
                    Metrics = [new() { Type = MetricTypes.RequestsPerSecond, Target = new() { AverageValue = new("10") } }],
                },
            },
        },
        Cancellation);

    private static async Task<string> AskAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "web.example.org";
        using var response = await client.SendAsync(request, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<TrafficObservation?> SeenAsync(TestCluster cluster) =>
        (await cluster.AllLeasesAsync()).FirstOrDefault() is { } lease ? Read(lease) : null;

    private static TrafficObservation? Read(k8s.Models.V1Lease lease) =>
        lease.Metadata.Annotations.TryGetValue(Annotations.Traffic, out var text) ? TrafficReport.Read(text).Apps is [var seen, ..] ? seen : null : null;
}
