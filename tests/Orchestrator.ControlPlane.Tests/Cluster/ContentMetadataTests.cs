using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.ControlPlane.Tests.Cluster;

public sealed class ContentMetadataTests
{
    [Fact]
    public async Task Of_secrets_nobody_refers_to_neither_content_nor_annotations_are_sent_or_kept()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        await CreateAsync(cluster, "before");
        var wire = new Listening();
        using var kubernetes = cluster.Connect(wire);
        using var end = new CancellationTokenSource();
        var seen = new ConcurrentQueue<V1Secret>();
        var client = ContentMetadata.OfSecrets(kubernetes);
        var list = await client.ListAsync(null, null, end.Token);
        var watching = Task.Run(
            async () =>
            {
                await foreach (var (_, secret) in client.WatchAsync(null, null, list.Metadata.ResourceVersion, TimeSpan.FromMinutes(1), _ => { }, end.Token))
                {
                    seen.Enqueue(secret);
                }
            },
            CancellationToken.None);
        await CreateAsync(cluster, "after");
        await Eventually.True(() => seen.Any(secret => secret.Metadata.Name == "after"));
        await end.CancelAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

        Assert.Contains("\"before\"", wire.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("cGFzc3dvcmQ", wire.Text, StringComparison.Ordinal);
        Assert.All(
            list.Items.Where(secret => secret.Metadata.Name == "before").Concat(seen.Where(secret => secret.Metadata.Name == "after")),
            secret => Assert.Equal((null, null, TestCluster.Namespace), (secret.Data, secret.Metadata.Annotations, secret.Metadata.NamespaceProperty)));
        Assert.All(wire.Accepts, accept => Assert.StartsWith("application/json;as=PartialObjectMetadata", accept.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Equal(2, wire.Accepts.Count);
    }

    [Fact]
    public async Task A_secret_that_is_deleted_must_be_the_one_that_was_meant()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        await CreateAsync(cluster, "one");
        var client = new ContentClient(cluster.Kubernetes, "test");
        var key = new ObjectKey(TestCluster.Namespace, "one");

        await Assert.ThrowsAsync<ConflictException>(() => client.DeleteSecretAsync(key, "00000000-0000-0000-0000-000000000000", default));
        await client.DeleteSecretAsync(key, (await client.GetSecretAsync(key, default))!.Metadata.Uid, default);
        await client.DeleteSecretAsync(key, "00000000-0000-0000-0000-000000000000", default);

        Assert.Null(await client.GetSecretAsync(key, default));
    }

    private static Task CreateAsync(TestCluster cluster, string name) => cluster.Kubernetes.CoreV1.CreateNamespacedSecretAsync(
        new V1Secret
        {
            Metadata = new() { Name = name, Annotations = new Dictionary<string, string> { ["kubectl.kubernetes.io/last-applied-configuration"] = "much" } },
            StringData = new Dictionary<string, string> { ["secret"] = "password" },
        },
        TestCluster.Namespace);

    /// <summary>Keeps what was asked for and what a list has answered.</summary>
    private sealed class Listening : DelegatingHandler
    {
        public ConcurrentQueue<string> Accepts { get; } = [];

        public string Text { get; private set; } = "";

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Accepts.Enqueue(request.Headers.Accept.ToString());
            var response = await base.SendAsync(request, cancellationToken);
            if (!request.RequestUri!.Query.Contains("watch", StringComparison.Ordinal))
            {
                await response.Content.LoadIntoBufferAsync(cancellationToken);
                Text += await response.Content.ReadAsStringAsync(cancellationToken);
            }

            return response;
        }
    }
}
