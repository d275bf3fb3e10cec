using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>The test is the proxies; all else is real.</summary>
public sealed class AutoscalingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task More_requests_bring_replicas_and_the_spec_stays_the_users()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SeeAsync(cluster, requests: 0);
        await ApplyAsync(cluster, min: 1, max: 5, replicas: 1);
        await cluster.WaitForReadyAsync("web", 1);

        await SeeAsync(cluster, requests: 35);
        await LookAsync(cluster);
        var app = await cluster.WaitForReadyAsync("web", 4);

        Assert.Equal((1, 4, 4), (app.Spec.Replicas, app.Status!.DesiredReplicas, app.Status.Autoscaling!.DesiredReplicas));
        Assert.NotNull(app.Status.Autoscaling.LastScaleTime);
        Assert.Equal(
            (Conditions.True, "SucceededRescale"),
            Condition(app, ConditionTypes.AbleToScale) is { } able ? (able.Status, able.Reason) : default);
        Assert.Equal("requestsPerSecond asks for 4", Condition(app, ConditionTypes.ScalingActive)!.Message);
        Assert.Equal("35", Assert.Single(app.Status.Autoscaling.CurrentMetrics!).Current.AverageValue!.ToString());
        await Eventually.True(async () => (await cluster.EventsAsync("web")).Contains("Normal SuccessfulRescale: 4 replicas instead of 1: requestsPerSecond asks for 4"));

        // A number left over, and one set by hand where the server does not know better: neither counts.
        await cluster.PatchAsync("web", new { replicas = 2 });
        app = await cluster.WaitForReadyAsync("web", 4);
        Assert.Equal(2, app.Spec.Replicas);
    }

    [Fact]
    public async Task Turned_on_it_changes_nothing_and_turned_off_the_users_number_counts_again()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 3, spec => spec.Route = new() { Hosts = ["web.example.org"] });
        await cluster.WaitForReadyAsync("web", 3);

        // As an apply of a manifest that now leaves the number out does it: the server's default is 1.
        await cluster.PatchAsync("web", new { replicas = 1, autoscaling = Wanted(min: 1, max: 5) });
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status!.Autoscaling is not null);
        Assert.Equal((3, 3), (app.Status!.Autoscaling!.DesiredReplicas, app.Status.Replicas));
        Assert.Equal(
            "FailedGetTraffic: requestsPerSecond is not known: no proxy is there to see it",
            Condition(app, ConditionTypes.ScalingActive) is { Status: Conditions.False } failed ? $"{failed.Reason}: {failed.Message}" : null);

        await cluster.PatchAsync("web", new Dictionary<string, object?> { ["replicas"] = 2, ["autoscaling"] = null });
        app = await cluster.WaitForReadyAsync("web", 2);
        Assert.Null(app.Status!.Autoscaling);
    }

    [Fact]
    public async Task Bounds_count_at_once()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SeeAsync(cluster, requests: 0);
        await ApplyAsync(cluster, min: 3, max: 5, replicas: 1);
        await cluster.WaitForReadyAsync("web", 3);

        await cluster.PatchAsync("web", new { autoscaling = new { minReplicas = 1, maxReplicas = 2 } });
        await cluster.WaitForReadyAsync("web", 2);

        // The bounds hold before the autoscaler has come to the app: what it says follows.
        await cluster.WaitForAppAsync("web", seen => seen.Status?.Autoscaling is { DesiredReplicas: 2 });
    }

    [Fact]
    public async Task An_app_without_replicas_gets_one_as_soon_as_a_proxy_says_that_somebody_waits()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SeeAsync(cluster, requests: 0);
        await ApplyAsync(cluster, min: 0, max: 5, replicas: 0);
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status?.Autoscaling is { DesiredReplicas: 0 });
        Assert.Equal(0, app.Status!.Replicas);

        await SeeAsync(cluster, requests: 0, waiting: 1);

        app = await cluster.WaitForReadyAsync("web", 1);
        Assert.Equal("requests asks for 1", Condition(app, ConditionTypes.ScalingActive)!.Message);
    }

    [Fact]
    public async Task Busy_replicas_bring_others_and_nobody_is_asked_for_apps_that_want_none_of_it()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        cluster.Usage.Set("h1", cores: 0.9m, bytes: 1024);
        cluster.Agent.StatusOf = replica =>
        {
            var status = cluster.Agent.Start(replica);
            (status.ContainerId, status.StartedAt) = (replica.Metadata.Uid, DateTime.UnixEpoch);
            status.Conditions = [new() { Type = ConditionTypes.Ready, Status = Conditions.True, Reason = "Probed", LastTransitionTime = DateTime.UnixEpoch }];
            return status;
        };
        await cluster.ApplyAsync("other", 1);
        await cluster.WaitForReadyAsync("other", 1);
        Assert.Equal(0, cluster.Usage.Asked);

        await cluster.ApplyAsync("web", 1, spec =>
        {
            spec.Resources = new() { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("1") } };
            spec.Autoscaling = new() { MaxReplicas = 5, Metrics = [new() { Type = MetricTypes.Cpu, Target = new() { AverageUtilization = 40 } }] };
        });
        var app = await cluster.WaitForReadyAsync("web", 3);

        Assert.Equal("cpu asks for 3", Condition(app, ConditionTypes.ScalingActive)!.Message);
        Assert.Equal((90, "900m"), Assert.Single(app.Status!.Autoscaling!.CurrentMetrics!).Current is { } seen ? (seen.AverageUtilization, seen.AverageValue!.ToString()) : default);
    }

    [Fact]
    public async Task The_number_of_an_autoscaled_app_is_nobodys_to_set()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        await ApplyAsync(cluster, min: 1, max: 5, replicas: 1);

        var refused = await Assert.ThrowsAsync<k8s.Autorest.HttpOperationException>(() => cluster.Kubernetes.CustomObjects.PatchNamespacedCustomObjectScaleWithHttpMessagesAsync<object>(
            new V1Patch(new { spec = new { replicas = 4 } }, V1Patch.PatchType.MergePatch), ApiGroup.Name, ApiGroup.Version, TestCluster.Namespace, WebApp.Plural, "web",
            cancellationToken: Cancellation));

        Assert.Contains(
            "spec.replicas: Forbidden: it is left to spec.autoscaling: change minReplicas and maxReplicas there, or take it off", refused.Response.Content, StringComparison.Ordinal);
    }

    private static V1Condition? Condition(WebApp app, string type) => Conditions.Find(app.Status!.Autoscaling!.Conditions, type);

    private static Api.WebApps.Autoscaling Wanted(int min, int max) => new()
    {
        MinReplicas = min,
        MaxReplicas = max,
        Metrics = [new() { Type = MetricTypes.RequestsPerSecond, Target = new() { AverageValue = new("10") } }],
    };

    private static Task<WebApp> ApplyAsync(TestCluster cluster, int min, int max, int replicas) => cluster.ApplyAsync("web", replicas, spec =>
    {
        spec.Route = new() { Hosts = ["web.example.org"] };
        spec.Autoscaling = Wanted(min, max);
    });

    /// <summary>A change of the spec is looked at without waiting for the period.</summary>
    private static Task<WebApp> LookAsync(TestCluster cluster) => cluster.PatchAsync("web", new { minReadySeconds = 0, autoscaling = new { behavior = new { } } });

    /// <summary>As a proxy's Lease tells it.</summary>
    private static async Task SeeAsync(TestCluster cluster, double requests, int waiting = 0)
    {
        var leases = cluster.Api.LeaseClient;
        V1Lease lease = new()
        {
            ApiVersion = "coordination.k8s.io/v1",
            Kind = "Lease",
            Metadata = new()
            {
                Name = "proxy-a",
                NamespaceProperty = ApiGroup.SystemNamespace,
                Labels = new Dictionary<string, string> { [Labels.Component] = Labels.ProxyComponent },
                Annotations = new Dictionary<string, string>
                {
                    [Annotations.Traffic] = new TrafficReport([new($"{TestCluster.Namespace}/web", requests, requests / 10, waiting)]).Write(),
                },
            },

            // For as long as a test takes.
            Spec = new() { HolderIdentity = "proxy-a", LeaseDurationSeconds = 3600 },
        };
        try
        {
            await leases.CreateAsync(lease, Cancellation);
        }
        catch (AlreadyExistsException)
        {
            await leases.MergePatchAsync(new(ApiGroup.SystemNamespace, "proxy-a"), new { metadata = new { lease.Metadata.Annotations } }, Cancellation);
        }
    }
}
