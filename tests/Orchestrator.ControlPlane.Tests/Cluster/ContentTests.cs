using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>ConfigMaps and Secrets of an app: what rolls, what is kept, what comes back.</summary>
public sealed class ContentTests
{
    [Fact]
    public async Task The_content_is_kept_with_the_revision_and_a_change_of_it_rolls()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 2, Refer);
        var first = (await cluster.WaitForReadyAsync("web", 2)).Status!;
        await SetAsync(cluster, "two");
        var second = (await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision != first.CurrentRevision)).Status!;

        Assert.NotEqual(first.ContentHash, second.ContentHash);
        Assert.Equal(("one", "two"), (await LevelOfAsync(cluster, first.CurrentRevision!), await LevelOfAsync(cluster, second.CurrentRevision!)));
        Assert.All(await LiveReplicasAsync(cluster), replica =>
            Assert.Equal((second.CurrentRevision, second.ContentHash), (replica.Spec.Revision, replica.Spec.Template.ContentHash)));

        var kept = await KeptAsync(cluster, second.CurrentRevision!);
        Assert.Equal((RevisionContent.SecretType, true, "web"), (kept.Type, kept.Immutable, kept.GetController()!.Name));
        Assert.DoesNotContain("two", KubernetesJson.Serialize(await LiveReplicasAsync(cluster)) + KubernetesJson.Serialize(await cluster.AppAsync("web"))
            + string.Concat(await cluster.EventsAsync("web")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_that_is_not_to_roll_waits_for_the_next_revision_and_replicas_made_meanwhile_are_like_the_others()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 1, spec =>
        {
            Refer(spec);
            spec.Env![0].ValueFrom!.ConfigMapKeyRef!.RollOnChange = false;
        });
        var first = (await cluster.WaitForReadyAsync("web", 1)).Status!;
        await SetAsync(cluster, "two");
        await cluster.PatchAsync("web", new { replicas = 2 });
        var scaled = (await cluster.WaitForReadyAsync("web", 2)).Status!;
        await cluster.PatchAsync("web", new { restartedAt = "2026-01-02T03:04:05Z" });
        var restarted = (await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision != first.CurrentRevision)).Status!;

        Assert.Equal((first.CurrentRevision, null), (scaled.CurrentRevision, scaled.ContentHash));
        Assert.Equal(("one", "two"), (await LevelOfAsync(cluster, first.CurrentRevision!), await LevelOfAsync(cluster, restarted.CurrentRevision!)));
    }

    [Fact]
    public async Task A_new_app_waits_for_what_it_refers_to_and_goes_on_by_itself()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 2, Refer);
        await WaitForProgressAsync(cluster, "ConfigurationNotFound", "ConfigMap \"settings\" not found");
        Assert.Empty(await cluster.ReplicasAsync("web"));

        await cluster.Kubernetes.CoreV1.CreateNamespacedConfigMapAsync(Map(("other", "x")), TestCluster.Namespace);
        await WaitForProgressAsync(cluster, "ConfigurationNotFound", "ConfigMap \"settings\" has no key \"level\"");
        await SetAsync(cluster, "one");
        await cluster.WaitForReadyAsync("web", 2);
    }

    [Fact]
    public async Task An_app_whose_config_map_went_stays_and_heals_and_rolls_nothing_until_it_is_back()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 2, Refer);
        var first = (await cluster.WaitForReadyAsync("web", 2)).Status!.CurrentRevision!;
        await cluster.Kubernetes.CoreV1.DeleteNamespacedConfigMapAsync("settings", TestCluster.Namespace);
        await WaitForProgressAsync(cluster, "ConfigurationNotFound", "ConfigMap \"settings\" not found");

        var victim = (await LiveReplicasAsync(cluster))[0].Metadata;
        await cluster.Api.ReplicaClient.DeleteAsync(new(TestCluster.Namespace, victim.Name), null, default);
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        await Eventually.True(async () => (await LiveReplicasAsync(cluster)) is { Count: 2 } live && live.All(replica => replica.Status is { Ready: true } && replica.Metadata.Uid != victim.Uid));
        Assert.All(await LiveReplicasAsync(cluster), replica => Assert.Equal(first, replica.Spec.Revision));

        await SetAsync(cluster, "one");
        await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision != first);
        Assert.All(await LiveReplicasAsync(cluster), replica => Assert.Equal("registry.example/web:v2", replica.Spec.Template.Image));
    }

    [Fact]
    public async Task Only_apps_that_refer_to_what_changed_are_rolled()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 1, Refer);
        await cluster.ApplyAsync("plain", 1);
        var plain = (await cluster.WaitForReadyAsync("plain", 1)).Metadata.ResourceVersion;
        var first = (await cluster.WaitForReadyAsync("web", 1)).Status!.CurrentRevision;
        await SetAsync(cluster, "two");
        await cluster.WaitForAppAsync("web", app => IsComplete(app, 1) && app.Status!.CurrentRevision != first);

        Assert.Equal(plain, (await cluster.AppAsync("plain")).Metadata.ResourceVersion);
    }

    [Fact]
    public async Task A_content_that_fails_is_taken_back_to_the_one_before()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 2, Refer);
        var stable = (await cluster.WaitForReadyAsync("web", 2)).Status!;
        cluster.Agent.StatusOf = replica => replica.Spec.Revision == stable.CurrentRevision
            ? cluster.Agent.Start(replica)
            : TestAgent.Failing("CrashLoopBackOff", "no such level");
        await SetAsync(cluster, "bad");
        await cluster.WaitForAppAsync("web", app => app.Status is { FailedRollout: not null, Replicas: 2, ReadyReplicas: 2 });

        // Heals with what was kept, and with no look at what is there now.
        await cluster.PatchAsync("web", new { replicas = 3 });
        await cluster.WaitForAppAsync("web", app => app.Status is { Replicas: 3, ReadyReplicas: 3 });
        Assert.All(await LiveReplicasAsync(cluster), replica => Assert.Equal(stable.ContentHash, replica.Spec.Template.ContentHash));

        await SetAsync(cluster, "good");
        cluster.Agent.StatusOf = cluster.Agent.Start;
        await cluster.WaitForAppAsync("web", app => IsComplete(app, 3) && app.Status!.FailedRollout is null && app.Status.CurrentRevision != stable.CurrentRevision);
    }

    [Fact]
    public async Task A_stand_in_brings_old_content_back_until_the_next_change()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 2, Refer);
        var first = (await cluster.WaitForReadyAsync("web", 2)).Status!;
        await SetAsync(cluster, "two");
        var second = (await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision != first.CurrentRevision)).Status!;

        await StandInAsync(cluster, first, second.ContentHash!);
        var back = (await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision == first.CurrentRevision)).Status!;
        Assert.Equal(second.ContentHash, back.ContentHash);
        Assert.All(await LiveReplicasAsync(cluster), replica => Assert.Equal(first.ContentHash, replica.Spec.Template.ContentHash));
        Assert.Equal("one", await LevelOfAsync(cluster, first.CurrentRevision!));

        await SetAsync(cluster, "three");
        var third = (await cluster.WaitForAppAsync(
            "web", app => IsComplete(app, 2) && app.Status!.CurrentRevision is { } now && now != first.CurrentRevision && now != second.CurrentRevision)).Status!;
        Assert.Equal("three", await LevelOfAsync(cluster, third.CurrentRevision!));
    }

    [Fact]
    public async Task A_stand_in_brings_old_content_back_although_its_config_map_is_gone_until_it_is_there_again()
    {
        await using var cluster = await TestCluster.StartAsync();
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 2, Refer);
        var first = (await cluster.WaitForReadyAsync("web", 2)).Status!;
        await SetAsync(cluster, "two");
        await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision != first.CurrentRevision);
        await cluster.Kubernetes.CoreV1.DeleteNamespacedConfigMapAsync("settings", TestCluster.Namespace);
        await WaitForProgressAsync(cluster, "ConfigurationNotFound", "ConfigMap \"settings\" not found");

        await StandInAsync(cluster, first, live: "");
        await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision == first.CurrentRevision);
        Assert.All(await LiveReplicasAsync(cluster), replica => Assert.Equal(first.ContentHash, replica.Spec.Template.ContentHash));

        await SetAsync(cluster, "three");
        var third = (await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision != first.CurrentRevision)).Status!;
        Assert.Equal("three", await LevelOfAsync(cluster, third.CurrentRevision!));
    }

    /// <summary>As an undo writes it.</summary>
    private static Task<WebApp> StandInAsync(TestCluster cluster, WebAppStatus wanted, string live) => cluster.Api.WebAppClient.MergePatchAsync(
        new(TestCluster.Namespace, "web"),
        new
        {
            metadata = new
            {
                annotations = new Dictionary<string, string>
                {
                    [Annotations.Content] = new ContentStandIn(wanted.CurrentRevision!, wanted.ContentHash!, live).ToString(),
                },
            },
        },
        default);

    [Fact]
    public async Task What_was_kept_goes_with_the_history_and_with_the_app()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await SetAsync(cluster, "0");
        await cluster.ApplyAsync("web", 1, spec =>
        {
            Refer(spec);
            spec.RevisionHistoryLimit = 1;
        });
        var revision = (await cluster.WaitForReadyAsync("web", 1)).Status!.CurrentRevision;
        for (var i = 1; i <= 3; i++)
        {
            await SetAsync(cluster, $"{i}");
            revision = (await cluster.WaitForAppAsync("web", app => IsComplete(app, 1) && app.Status!.CurrentRevision != revision)).Status!.CurrentRevision;
        }

        await Eventually.True(async () => (await KeptNamesAsync(cluster)).SequenceEqual((await cluster.HistoryAsync("web")).Order(StringComparer.Ordinal)));
        Assert.InRange((await KeptNamesAsync(cluster)).Count, 1, 3);
        Assert.Contains($"web-{revision}", await KeptNamesAsync(cluster));

        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "web"), null, default);
        await cluster.WaitForNoAppAsync("web");
        Assert.Empty(await KeptNamesAsync(cluster));
    }

    [Fact]
    public async Task What_was_kept_and_is_removed_by_hand_is_kept_anew_while_it_can_be()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 1, Refer);
        var first = (await cluster.WaitForReadyAsync("web", 1)).Status!.CurrentRevision!;
        var uid = (await KeptAsync(cluster, first)).Metadata.Uid;
        await cluster.Kubernetes.CoreV1.DeleteNamespacedSecretAsync($"web-{first}", TestCluster.Namespace);

        await Eventually.True(async () => (await KeptNamesAsync(cluster)).Contains($"web-{first}"));
        Assert.NotEqual(uid, (await KeptAsync(cluster, first)).Metadata.Uid);
        Assert.Equal("one", await LevelOfAsync(cluster, first));
    }

    [Fact]
    public async Task A_name_that_is_taken_is_told_and_nothing_of_it_is_touched()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 0, Refer);
        var revision = (await cluster.WaitForReadyAsync("web", 0)).Status!.CurrentRevision!;
        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "web"), null, default);
        await cluster.WaitForNoAppAsync("web");
        await cluster.Kubernetes.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret { Metadata = new() { Name = $"web-{revision}" }, StringData = new Dictionary<string, string> { ["mine"] = "x" } }, TestCluster.Namespace);
        await cluster.ApplyAsync("web", 1, Refer);

        await WaitForProgressAsync(
            cluster, "FailedCreate", $"Secret \"web-{revision}\" is of type Opaque and not ours, and the content of the revision has to be kept under this name: remove or rename it");
        Assert.Empty(await cluster.ReplicasAsync("web"));
        await cluster.Kubernetes.CoreV1.DeleteNamespacedSecretAsync($"web-{revision}", TestCluster.Namespace);
        await cluster.WaitForReadyAsync("web", 1);
    }

    [Fact]
    public async Task While_the_content_of_the_next_revision_cannot_be_kept_the_one_before_is_scaled_and_healed()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await SetAsync(cluster, "two");
        await cluster.ApplyAsync("web", 0, Refer);
        var second = (await cluster.WaitForReadyAsync("web", 0)).Status!.CurrentRevision!;
        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "web"), null, default);
        await cluster.WaitForNoAppAsync("web");
        await cluster.Kubernetes.CoreV1.CreateNamespacedSecretAsync(new V1Secret { Metadata = new() { Name = $"web-{second}" } }, TestCluster.Namespace);
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 1, Refer);
        var first = (await cluster.WaitForReadyAsync("web", 1)).Status!.CurrentRevision!;
        await SetAsync(cluster, "two");
        await cluster.WaitForAppAsync("web", app => Conditions.Find(app.Status!.Conditions, ConditionTypes.Progressing)!.Reason == "FailedCreate");

        var victim = (await LiveReplicasAsync(cluster))[0].Metadata;
        await cluster.Api.ReplicaClient.DeleteAsync(new(TestCluster.Namespace, victim.Name), null, default);
        await cluster.PatchAsync("web", new { replicas = 2 });
        await Eventually.True(async () => (await LiveReplicasAsync(cluster)) is { Count: 2 } live
            && live.All(replica => replica is { Status.Ready: true } && replica.Spec.Revision == first && replica.Metadata.Uid != victim.Uid));

        await cluster.Kubernetes.CoreV1.DeleteNamespacedSecretAsync($"web-{second}", TestCluster.Namespace);
        await cluster.WaitForAppAsync("web", app => IsComplete(app, 2) && app.Status!.CurrentRevision == second);
    }

    [Fact]
    public async Task A_secret_that_its_user_has_given_to_the_app_is_no_kept_content()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await SetAsync(cluster, "one");
        var app = await cluster.ApplyAsync("web", 1, Refer);
        var owner = new V1OwnerReference { ApiVersion = app.ApiVersion, Kind = app.Kind, Name = "web", Uid = app.Metadata.Uid, Controller = true };
        await cluster.Kubernetes.CoreV1.CreateNamespacedSecretAsync(new V1Secret { Metadata = new() { Name = "mine", OwnerReferences = [owner] } }, TestCluster.Namespace);
        var first = (await cluster.WaitForReadyAsync("web", 1)).Status!.CurrentRevision;
        await SetAsync(cluster, "two");

        // What nothing needs any more goes as the history is written, and before the next revision is named.
        await cluster.WaitForAppAsync("web", seen => IsComplete(seen, 1) && seen.Status!.CurrentRevision != first);
        Assert.NotNull(await cluster.Kubernetes.CoreV1.ReadNamespacedSecretAsync("mine", TestCluster.Namespace));
    }

    [Fact]
    public async Task Replicas_that_stay_without_their_app_keep_what_they_are_made_from()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await SetAsync(cluster, "one");
        await cluster.ApplyAsync("web", 1, Refer);
        var first = (await cluster.WaitForReadyAsync("web", 1)).Status!.CurrentRevision!;
        await SetAsync(cluster, "two");
        var second = (await cluster.WaitForAppAsync("web", app => IsComplete(app, 1) && app.Status!.CurrentRevision != first)).Status!.CurrentRevision!;
        await Eventually.True(async () => (await cluster.ReplicasAsync("web")).All(replica => replica.Spec.Revision == second));
        await cluster.Kubernetes.CustomObjects.DeleteNamespacedCustomObjectAsync(
            ApiGroup.Name, "v1", TestCluster.Namespace, "webapps", "web", propagationPolicy: "Orphan");
        await cluster.WaitForNoAppAsync("web");

        Assert.Contains($"web-{second}", await KeptNamesAsync(cluster));
        Assert.Single(await LiveReplicasAsync(cluster));
    }

    [Fact]
    public async Task Keys_that_cannot_be_variables_are_told_by_an_event()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await cluster.Kubernetes.CoreV1.CreateNamespacedConfigMapAsync(Map(("1st", "x"), ("level", "x")), TestCluster.Namespace);
        await cluster.ApplyAsync("web", 1, spec => spec.EnvFrom = [new() { ConfigMapRef = new() { Name = "settings" } }]);
        await cluster.WaitForReadyAsync("web", 1);

        await Eventually.True(async () => (await cluster.EventsAsync("web")).Contains(
            "Warning InvalidEnvironmentVariableNames: left out what cannot be an environment variable: key \"1st\" of ConfigMap \"settings\""));
    }

    private static void Refer(WebAppSpec spec) =>
        spec.Env = [new() { Name = "LEVEL", ValueFrom = new() { ConfigMapKeyRef = new() { Name = "settings", Key = "level" } } }];

    private static V1ConfigMap Map(params (string Key, string Value)[] data) =>
        new() { Metadata = new() { Name = "settings" }, Data = data.ToDictionary(entry => entry.Key, entry => entry.Value) };

    private static async Task SetAsync(TestCluster cluster, string level)
    {
        var patch = new V1Patch(KubernetesJson.Serialize(new { data = new { level } }), V1Patch.PatchType.MergePatch);
        try
        {
            await cluster.Kubernetes.CoreV1.PatchNamespacedConfigMapAsync(patch, "settings", TestCluster.Namespace);
        }
        catch (k8s.Autorest.HttpOperationException missing) when (missing.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            await cluster.Kubernetes.CoreV1.CreateNamespacedConfigMapAsync(Map(("level", level)), TestCluster.Namespace);
        }
    }

    private static bool IsComplete(WebApp app, int replicas) => app.Status is { } status && status.CurrentRevision == status.UpdateRevision
        && status.Replicas == replicas && status.ReadyReplicas == replicas && status.ObservedGeneration == app.Metadata.Generation
        && Conditions.Find(status.Conditions, ConditionTypes.Progressing)?.Reason == "NewReplicasAvailable";

    private static Task WaitForProgressAsync(TestCluster cluster, string reason, string message) => cluster.WaitForAppAsync(
        "web",
        app => Conditions.Find(app.Status?.Conditions, ConditionTypes.Progressing) is { } progressing
            && (progressing.Status, progressing.Reason, progressing.Message) == (Conditions.False, reason, message));

    private static async Task<List<Replica>> LiveReplicasAsync(TestCluster cluster) =>
        [.. (await cluster.ReplicasAsync("web")).Where(replica => replica.Metadata.DeletionTimestamp is null)];

    private static Task<V1Secret> KeptAsync(TestCluster cluster, string revision) =>
        cluster.Kubernetes.CoreV1.ReadNamespacedSecretAsync($"web-{revision}", TestCluster.Namespace);

    private static async Task<string> LevelOfAsync(TestCluster cluster, string revision) =>
        RevisionContent.Decode((await KeptAsync(cluster, revision)).Data).Environment["LEVEL"];

    private static async Task<List<string>> KeptNamesAsync(TestCluster cluster) =>
        [.. (await new ContentClient(cluster.Kubernetes, "test").ListSecretsAsync(TestCluster.Namespace, $"{Labels.App}=web", default))
            .Select(secret => secret.Metadata.Name).Order(StringComparer.Ordinal)];
}
