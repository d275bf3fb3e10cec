using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Tests.Cluster;

public sealed class CanaryTests
{
    [Fact]
    public async Task Step_by_step_beside_all_old_replicas_and_then_in_their_place()
    {
        await using var cluster = await TestCluster.StartAsync();
        var stable = await StartAsync(cluster, [new() { Weight = 25, DurationSeconds = 1 }, new() { Weight = 50 }]);
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        var app = await WaitForWeightAsync(cluster, 50);

        Assert.Equal((stable, 6, 2), (app.Status!.CurrentRevision, app.Status.Replicas, app.Status.UpdatedReplicas));
        Assert.Equal(new TrafficSplit(stable, 50), TrafficSplit.Of(app));
        Assert.StartsWith($"CanaryWaits: revision {app.Status.UpdateRevision} has 50 % of the requests, step 2 of 2", Progressing(app), StringComparison.Ordinal);

        await AskAsync(cluster, Annotations.Promote, $"{app.Status.UpdateRevision}/1");
        app = await cluster.WaitForReadyAsync("web", 4);
        Assert.NotEqual(stable, app.Status!.CurrentRevision);
        Assert.Null(app.Status.Rollout);
        await cluster.WaitForAppAsync("web", seen => seen.Metadata.Annotations?.ContainsKey(Annotations.Promote) != true);
        await Eventually.True(async () => (await cluster.EventsAsync("web")).Any(line => line.StartsWith("Normal CanaryPromoted", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Blue_green_is_one_step_of_everything()
    {
        await using var cluster = await TestCluster.StartAsync();
        var stable = await StartAsync(cluster, [new() { Weight = 100 }]);
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        var app = await WaitForWeightAsync(cluster, 100);
        Assert.Equal((8, 4), (app.Status!.Replicas, app.Status.UpdatedReplicas));

        var least = int.MaxValue;
        cluster.ReplicaChanged = () => least = Math.Min(
            least, cluster.Api.Replicas.Items.Values.Count(replica => replica.Status is { Ready: true } && replica.Spec.Revision != stable));
        await AskAsync(cluster, Annotations.Promote, $"{app.Status.UpdateRevision}/all");
        await cluster.WaitForReadyAsync("web", 4);
        Assert.Equal(4, least);
    }

    [Fact]
    public async Task Given_up_the_stable_replicas_are_those_of_before()
    {
        await using var cluster = await TestCluster.StartAsync();
        var stable = await StartAsync(cluster, [new() { Weight = 25 }]);
        var before = await UidsAsync(cluster);
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2", autoRollback = false });
        var app = await WaitForWeightAsync(cluster, 25);
        await AskAsync(cluster, Annotations.Abort, app.Status!.UpdateRevision!);
        app = await cluster.WaitForAppAsync("web", seen => seen.Status is { FailedRollout: not null, Replicas: 4 });

        Assert.Equal(("Aborted", app.Status!.UpdateRevision, stable), (app.Status.FailedRollout!.Reason, app.Status.FailedRollout.Revision, app.Status.CurrentRevision));
        Assert.Equal(new TrafficSplit(stable, 0), TrafficSplit.Of(app));
        await Eventually.See(() => UidsAsync(cluster), uids => uids == before);
        await cluster.WaitForAppAsync("web", seen => seen.Metadata.Annotations?.ContainsKey(Annotations.Abort) != true);
    }

    [Fact]
    public async Task What_proxies_see_takes_it_back()
    {
        await using var cluster = await TestCluster.StartAsync();
        var stable = await StartAsync(cluster, [new() { Weight = 25 }], new() { MinRequests = 100 });
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        var app = await WaitForWeightAsync(cluster, 25);

        // Two proxies, either of which has seen too little.
        await SeeAsync(cluster, "proxy-a", app, new(600, 0, []), new(60, 30, []));
        await cluster.WaitForAppAsync("web", seen => seen.Status!.Rollout!.Canary!.Analysis == "new: 60 requests, 50 % failed; stable: 600 requests, 0 % failed");
        await SeeAsync(cluster, "proxy-b", app, new(600, 6, []), new(60, 12, []));
        app = await cluster.WaitForAppAsync("web", seen => seen.Status is { FailedRollout: not null, Replicas: 4 });

        Assert.Equal((stable, "CanaryErrors"), (app.Status!.CurrentRevision, app.Status.FailedRollout!.Reason));
        Assert.Equal(
            "more than 1.5 % of its requests failed; new: 120 requests, 35 % failed; stable: 1200 requests, 0.5 % failed", app.Status.FailedRollout.Message);
    }

    [Fact]
    public async Task Scaled_and_given_another_template_and_restarted_in_the_middle_it_goes_on_with_the_last()
    {
        await using var cluster = await TestCluster.StartAsync();
        var stable = await StartAsync(cluster, [new() { Weight = 50 }]);
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        await WaitForWeightAsync(cluster, 50);
        await cluster.PatchAsync("web", new { replicas = 6 });
        await cluster.WaitForAppAsync("web", seen => seen.Status is { Replicas: 9, UpdatedReplicas: 3, ReadyReplicas: 9 });

        await cluster.StopControllersAsync();
        await cluster.PatchAsync("web", new { image = "registry.example/web:v3" });
        await cluster.StartControllersAsync();
        var app = await cluster.WaitForAppAsync("web", seen =>
            seen.Status is { Replicas: 9, UpdatedReplicas: 3, Rollout.Canary: { Weight: 50 } canary } && canary.Revision == RevisionHash.Of(seen.Spec));
        Assert.Equal(stable, app.Status!.CurrentRevision);
        Assert.Equal(
            [(":v1", 6), (":v3", 3)],
            (await cluster.ReplicasAsync("web")).Where(replica => replica.Metadata.DeletionTimestamp is null)
                .GroupBy(replica => replica.Spec.Template.Image[^3..]).Select(group => (group.Key, group.Count())).Order());
    }

    [Fact]
    public async Task A_new_replica_gets_nothing_before_its_share_is_written_down()
    {
        await using var cluster = await TestCluster.StartAsync();
        var stable = await StartAsync(cluster, [new() { Weight = 50 }]);
        var wrong = 0;
        cluster.WebAppChanged = () => wrong += cluster.Api.WebApps.Items.Values.Count(app =>
            app.Status?.CurrentRevision == stable && TrafficSplit.Of(app) is not { OthersPercent: 0 or 50 });
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        await WaitForWeightAsync(cluster, 50);

        Assert.Equal(0, wrong);
    }

    /// <returns>The stable revision.</returns>
    private static async Task<string> StartAsync(TestCluster cluster, IList<CanaryStep> steps, CanaryAnalysis? analysis = null)
    {
        await cluster.ApplyAsync("web", 4, spec => spec.Strategy = new()
        {
            Type = RolloutStrategy.Canary, CanarySteps = new() { Steps = steps, Analysis = analysis },
        });
        return (await cluster.WaitForReadyAsync("web", 4)).Status!.CurrentRevision!;
    }

    private static Task<WebApp> WaitForWeightAsync(TestCluster cluster, int weight) =>
        cluster.WaitForAppAsync("web", app => app.Status?.Rollout?.Canary is { } canary && canary.Weight == weight
            && Progressing(app).StartsWith("CanaryWaits", StringComparison.Ordinal));

    private static Task AskAsync(TestCluster cluster, string annotation, string text) => cluster.Api.WebAppClient.MergePatchAsync(
        new(TestCluster.Namespace, "web"),
        new { metadata = new { annotations = new Dictionary<string, string> { [annotation] = text } } },
        CancellationToken.None);

    private static Task SeeAsync(TestCluster cluster, string proxy, WebApp app, RequestCounts stable, RequestCounts canary)
    {
        var progress = app.Status!.Rollout!.Canary!;
        var seen = new CanaryObservation($"{TestCluster.Namespace}/web", progress.Revision, progress.WeightSince!.Value, stable, canary);
        return cluster.Api.LeaseClient.CreateAsync(
            new V1Lease
            {
                ApiVersion = "coordination.k8s.io/v1",
                Kind = "Lease",
                Metadata = new()
                {
                    Name = proxy,
                    NamespaceProperty = ApiGroup.SystemNamespace,
                    Labels = new Dictionary<string, string> { [Labels.Component] = Labels.ProxyComponent },
                    Annotations = new Dictionary<string, string> { [Annotations.Canaries] = CanaryObservation.Write([seen]) },
                },
                Spec = new() { HolderIdentity = proxy, LeaseDurationSeconds = 10 },
            },
            CancellationToken.None);
    }

    private static string Progressing(WebApp app) =>
        Conditions.Find(app.Status!.Conditions, ConditionTypes.Progressing) is { } condition ? $"{condition.Reason}: {condition.Message}" : "";

    private static async Task<string> UidsAsync(TestCluster cluster) =>
        string.Join(',', (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order(StringComparer.Ordinal));
}
