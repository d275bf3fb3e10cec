using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ApiServer.Tests.Clients;

/// <summary>The clients that the controllers use, against the server.</summary>
public sealed class ClientTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_informer_follows_the_server_and_a_stale_write_is_a_conflict()
    {
        using var kubernetes = Connect();
        var client = new ResourceClient<WebApp>(kubernetes, "test");
        var informer = new Informer<WebApp>(client, null, NullLogger.Instance, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = informer.RunAsync(stop.Token);
        await informer.WaitForSyncAsync(Cancelled);

        var space = await server.NamespaceAsync();
        var key = new ObjectKey(space, "web");
        var created = await client.CreateAsync(
            new WebApp { Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = space }, Spec = new WebAppSpec { Image = "a", Replicas = 1 } },
            Cancelled);
        await Eventually.True(() => informer.Get(key)?.Metadata.Uid == created.Metadata.Uid);

        await client.MergePatchAsync(key, new { spec = new { replicas = 2 } }, Cancelled);
        await Eventually.True(() => informer.Get(key)?.Spec.Replicas == 2);
        await Assert.ThrowsAsync<ConflictException>(() => client.MergePatchAsync(
            key, new { metadata = new { resourceVersion = created.Metadata.ResourceVersion }, spec = new { replicas = 3 } }, Cancelled));
        var status = await client.MergePatchStatusAsync(key, new { status = new { readyReplicas = 1 } }, Cancelled);
        Assert.Equal(1, status.Status?.ReadyReplicas);
        await Assert.ThrowsAsync<AlreadyExistsException>(() => client.CreateAsync(
            new WebApp { Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = space }, Spec = new WebAppSpec { Image = "a" } }, Cancelled));
        await client.DeleteAsync(key, created.Metadata.Uid, Cancelled);
        await Eventually.True(() => informer.Get(key) is null);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Core_kinds_are_written_and_read_by_the_typed_client()
    {
        using var kubernetes = Connect();
        var space = await server.NamespaceAsync();
        var secret = await kubernetes.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret { Metadata = new() { Name = "s" }, StringData = new Dictionary<string, string> { ["a"] = "b" } }, space, cancellationToken: Cancelled);
        Assert.Equal("b"u8.ToArray(), secret.Data["a"]);
        var lease = await kubernetes.CoordinationV1.CreateNamespacedLeaseAsync(
            new V1Lease { Metadata = new() { Name = "l" }, Spec = new() { HolderIdentity = "me", RenewTime = DateTime.UnixEpoch } },
            space,
            cancellationToken: Cancelled);
        lease.Spec.HolderIdentity = "you";
        Assert.Equal("you", (await kubernetes.CoordinationV1.ReplaceNamespacedLeaseAsync(lease, "l", space, cancellationToken: Cancelled)).Spec.HolderIdentity);
        var events = await kubernetes.CoreV1.CreateNamespacedEventAsync(
            new Corev1Event { Metadata = new() { Name = "e" }, InvolvedObject = new() { Kind = "WebApp", Name = "w", NamespaceProperty = space }, Reason = "R", Type = "Normal" },
            space,
            cancellationToken: Cancelled);
        Assert.Equal("R", events.Reason);
        Assert.Contains((await kubernetes.CoreV1.ListNamespaceAsync(cancellationToken: Cancelled)).Items, each => each.Name() == space);
        await kubernetes.CoreV1.DeleteNamespaceAsync(space, cancellationToken: Cancelled);
        await Eventually.True(async () =>
            (await kubernetes.CoreV1.ListNamespaceAsync(cancellationToken: Cancelled)).Items.All(each => each.Name() != space));
    }

    private Kubernetes Connect() => new(KubernetesClientConfiguration.BuildConfigFromConfigFile(server.Server.AdminKubeconfig));
}
