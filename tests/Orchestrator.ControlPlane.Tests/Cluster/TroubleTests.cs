using System.Net;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>The API server refuses or loses things; hosts go and nobody cleans up after them.</summary>
public sealed class TroubleTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Creates_that_are_refused_are_told_and_made_when_they_no_longer_are()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        using var wire = new RefusingWire(request => request.Method == HttpMethod.Post && request.RequestUri!.AbsolutePath.EndsWith("/replicas", StringComparison.Ordinal));
        await cluster.StartControllersAsync(wire);
        await cluster.ApplyAsync("web", 3);
        var app = await cluster.WaitForAppAsync("web", seen => Conditions.Find(seen.Status?.Conditions, ConditionTypes.Progressing)?.Status == Conditions.False);
        var progressing = Conditions.Find(app.Status!.Conditions, ConditionTypes.Progressing)!;
        Assert.Equal(("FailedCreate", "exceeded quota"), (progressing.Reason, progressing.Message));
        await Eventually.See(() => cluster.EventsAsync("web"), events => events.Contains("Warning FailedCreate: exceeded quota"));

        wire.IsOn = false;
        await cluster.WaitForReadyAsync("web", 3);
    }

    [Fact]
    public async Task A_revision_whose_history_was_refused_is_kept_once_it_no_longer_is()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        using var wire = new RefusingWire(request => request.Method == HttpMethod.Post && request.RequestUri!.AbsolutePath.EndsWith("/controllerrevisions", StringComparison.Ordinal));
        await cluster.StartControllersAsync(wire);
        await cluster.ApplyAsync("web", 2);
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status?.ReadyReplicas == 2);
        Assert.Null(app.Status!.UpdateRevision);

        // Others take over: the next leader must see it too.
        await cluster.StopControllersAsync();
        await cluster.StartControllersAsync();
        app = await cluster.WaitForReadyAsync("web", 2);
        Assert.Equal([$"web-{app.Status!.CurrentRevision}"], await cluster.HistoryAsync("web"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Over_a_lossy_wire_it_arrives_within_its_limits(int seed)
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        using var wire = new LossyWire(seed, oneIn: 8) { IsOn = false };
        await cluster.StartControllersAsync(wire);
        wire.IsOn = true;
        await cluster.ApplyAsync("web", 12);
        await cluster.WaitForReadyAsync("web", 12);

        var (fewestReady, most, seen) = (12, 12, 0);
        cluster.ReplicaChanged = () =>
        {
            seen++;
            var live = cluster.Api.Replicas.Items.Values.Where(replica => replica.Metadata.DeletionTimestamp is null).ToList();
            fewestReady = Math.Min(fewestReady, live.Count(replica => replica.Status?.Ready ?? false));
            most = Math.Max(most, live.Count);
        };
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        await cluster.WaitForReadyAsync("web", 12);

        // More than 12 need not be seen: what may be missing is deleted while what may be too many is made.
        Assert.InRange(fewestReady, 9, 12);
        Assert.InRange(most, 12, 15);
        Assert.InRange(seen, 12, int.MaxValue);

        cluster.ReplicaChanged = null;
        await cluster.PatchAsync("web", new { replicas = 5 });
        await cluster.WaitForReadyAsync("web", 5);
        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "web"), null, TestEnd);
        await cluster.WaitForNoAppAsync("web");
        Assert.Empty(await cluster.ReplicasAsync("web"));
    }

    [Fact]
    public async Task Room_that_is_promised_by_a_binding_still_on_its_way_is_not_promised_twice()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        using var wire = new HoldingWire(request => request.Method == HttpMethod.Patch
            && request.RequestUri!.AbsolutePath is var path && path.Contains("/replicas/first-", StringComparison.Ordinal) && !path.EndsWith("/status", StringComparison.Ordinal));
        await cluster.StartControllersAsync(wire);
        var gibibyte = new Dictionary<string, ResourceQuantity> { ["memory"] = new("1Gi") };
        await cluster.ApplyAsync("first", 1, spec => spec.Resources = new() { Requests = gibibyte });
        await Eventually.See(() => cluster.ReplicasAsync("first"), replicas => replicas is [{ Status.Reason: Binder.Unschedulable }]);
        await cluster.CreateHostAsync("h1", memory: "1Gi");
        await Eventually.True(() => wire.Held == 1);
        await cluster.ApplyAsync("second", 1, spec => spec.Resources = new() { Requests = gibibyte });
        await Eventually.See(() => cluster.ReplicasAsync("second"), replicas => replicas is [{ Status.Message: "0/1 hosts: 1 insufficient memory" }]);

        // Nor is what is on its way decided again.
        Assert.Equal(1, wire.Held);
        wire.Open();
        await cluster.WaitForReadyAsync("first", 1);
    }

    [Fact]
    public async Task Room_that_is_promised_to_a_replica_still_being_created_is_not_promised_twice_and_free_again_when_it_is_not_created()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        await cluster.CreateHostAsync("h1", memory: "1Gi");
        var (isFirst, refuses) = (new TaskCompletionSource(), new TaskCompletionSource<HttpResponseMessage?>());
        using var wire = new AnsweringWire((request, cancellationToken) =>
            request.Method == HttpMethod.Post && request.RequestUri!.AbsolutePath.EndsWith("/replicas", StringComparison.Ordinal) && isFirst.TrySetResult()
                ? refuses.Task.WaitAsync(cancellationToken)
                : Task.FromResult<HttpResponseMessage?>(null));
        await cluster.StartControllersAsync(wire);
        var gibibyte = new Dictionary<string, ResourceQuantity> { ["memory"] = new("1Gi") };
        await cluster.ApplyAsync("first", 1, spec => spec.Resources = new() { Requests = gibibyte });
        await isFirst.Task.WaitAsync(TestEnd);
        await cluster.ApplyAsync("second", 1, spec => spec.Resources = new() { Requests = gibibyte });
        await Eventually.See(() => cluster.ReplicasAsync("second"), replicas => replicas is [{ Status.Message: "0/1 hosts: 1 insufficient memory" }]);

        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "first"), null, TestEnd);
        refuses.SetResult(new(HttpStatusCode.InternalServerError) { Content = new StringContent("") });
        await cluster.WaitForReadyAsync("second", 1);
    }

    [Fact]
    public async Task Replicas_that_have_room_are_created_with_their_host()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 2, controllers: false);
        var bindings = 0;
        using var wire = new AnsweringWire((request, _) =>
        {
            var path = request.RequestUri!.AbsolutePath;
            bindings += request.Method == HttpMethod.Patch && path.Contains("/replicas/", StringComparison.Ordinal) && !path.EndsWith("/status", StringComparison.Ordinal) ? 1 : 0;
            return Task.FromResult<HttpResponseMessage?>(null);
        });
        await cluster.StartControllersAsync(wire);
        await cluster.ApplyAsync("web", 6);
        await cluster.WaitForReadyAsync("web", 6);

        var replicas = await cluster.ReplicasAsync("web");
        Assert.Equal(0, bindings);
        Assert.Equal([3, 3], replicas.CountBy(replica => replica.Spec.HostName!).Select(host => host.Value));
        Assert.Equal(6, replicas.DistinctBy(replica => (replica.Spec.HostName, replica.Spec.HostPort)).Count());
        Assert.All(replicas, replica =>
        {
            Assert.Equal(replica.Spec.HostName, replica.GetLabel(Labels.Host));
            Assert.Contains(Finalizers.Container, replica.Metadata.Finalizers);
        });
    }

    [Fact]
    public async Task The_last_host_goes_too_but_its_replicas_serve_until_the_drain_deadline()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await cluster.ApplyAsync("web", 1);
        await cluster.WaitForReadyAsync("web", 1);
        await cluster.Api.HostClient.DeleteAsync(new(null, "h1"), null, TestEnd);

        // The replacement finds no place; the old one is kept.
        await Eventually.See(() => cluster.ReplicasAsync("web"), replicas => replicas.Count == 2 && replicas.Exists(
            replica => replica.Status?.Message == "0/1 hosts: 1 being deleted"));
        Assert.Equal(1, (await cluster.AppAsync("web")).Status!.ReadyReplicas);

        await cluster.StopControllersAsync();
        await cluster.StartControllersAsync(clock: new ClockAhead(HostReconciler.DrainDeadline));
        await Eventually.True(async () => await cluster.Api.HostClient.GetAsync(new(null, "h1"), TestEnd) is null);
    }

    [Fact]
    public async Task A_silent_host_that_is_deleted_is_given_up_after_a_while_with_what_it_carried()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 2);
        await cluster.ApplyAsync("web", 2);
        await cluster.WaitForReadyAsync("web", 2);
        cluster.Agent.Stops = false;
        await cluster.SetHostReadyAsync("h1", false);
        await cluster.Api.HostClient.DeleteAsync(new(null, "h1"), null, TestEnd);
        await Eventually.See(() => cluster.ReplicasAsync("web"), replicas => replicas.Exists(replica => replica.Metadata.DeletionTimestamp is not null));

        await cluster.StopControllersAsync();
        await cluster.StartControllersAsync(clock: new ClockAhead(HostReconciler.LostAfter));
        await Eventually.True(async () => await cluster.Api.HostClient.GetAsync(new(null, "h1"), TestEnd) is null);
        await cluster.WaitForReadyAsync("web", 2);
    }

    [Fact]
    public async Task A_finalizer_that_others_set_on_a_host_is_left_on_it()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1, controllers: false);

        // Between what the reconcile has read and the answer to its first write.
        using var wire = new AnsweringWire(async (request, cancellationToken) =>
        {
            if (request.Method == HttpMethod.Patch && request.RequestUri!.AbsolutePath.EndsWith("/dockerhosts/h1/status", StringComparison.Ordinal))
            {
                await cluster.Api.HostClient.MergePatchAsync(new(null, "h1"), new { metadata = new { finalizers = new[] { "example.org/keep" } } }, cancellationToken);
            }

            return null;
        });
        await cluster.StartControllersAsync(wire);

        var host = await Eventually.See(() => cluster.Api.HostClient.GetAsync(new(null, "h1"), TestEnd), seen => seen?.Metadata.Finalizers?.Contains(Finalizers.Host) ?? false);
        Assert.Equal(["example.org/keep", Finalizers.Host], host!.Metadata.Finalizers);
    }
}
