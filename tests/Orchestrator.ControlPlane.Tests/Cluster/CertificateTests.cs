using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>What the controller lays out for proxies, and what it says of it.</summary>
public sealed class CertificateTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_secret_that_comes_changes_breaks_and_goes_is_followed_and_told_of()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 1, spec => spec.Route = new()
        {
            Hosts = ["web.example.org"],
            Tls = new() { SecretName = "tls", ClientAuth = new() { SecretName = "clients" } },
        });
        await WaitAsync(cluster, "SecretNotFound", "clientAuth: Secret \"clients\" not found; no client gets through");
        await cluster.Kubernetes.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret { Metadata = new() { Name = "clients" }, Data = new Dictionary<string, byte[]> { ["ca.crt"] = _authority.Pem } }, TestCluster.Namespace);
        await WaitAsync(cluster, "SecretNotFound", "Secret \"tls\" not found");

        var secret = await cluster.Kubernetes.CoreV1.CreateNamespacedSecretAsync(Secret(), TestCluster.Namespace);
        await WaitAsync(cluster, "CertificateValid", "Secret \"tls\" is shown, until ");
        var laid = await LaidAsync(cluster);
        Assert.Equal((ProxySecrets.Type, 3), (laid!.Type, laid.Data.Count));
        Assert.Equal(secret.Data["tls.key"], laid.Data["tls.key"]);
        Assert.Equal(_authority.Pem, laid.Data["ca.crt"]);

        secret.Data["tls.crt"] = "rubbish"u8.ToArray();
        await cluster.Kubernetes.CoreV1.ReplaceNamespacedSecretAsync(secret, "tls", TestCluster.Namespace);
        await WaitAsync(cluster, "SecretInvalid", "Secret \"tls\": tls.crt: holds no certificate");
        Assert.Equal(laid.Data["tls.crt"], (await LaidAsync(cluster))!.Data["tls.crt"]);
        await Eventually.See(
            () => cluster.EventsAsync("web"), seen => seen.Any(entry => entry.StartsWith("Warning SecretInvalid: Secret \"tls\"", StringComparison.Ordinal)));

        await cluster.PatchAsync("web", new { route = new Dictionary<string, object?> { ["tls"] = null } });
        await Eventually.True(async () => await LaidAsync(cluster) is null);
        await cluster.WaitForAppAsync("web", app => Conditions.Find(app.Status?.Conditions, ConditionTypes.CertificateReady) is null);
    }

    [Fact]
    public async Task What_somebody_does_to_what_is_laid_out_is_put_right_and_it_goes_with_its_app()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.Kubernetes.CoreV1.CreateNamespacedSecretAsync(Secret(), TestCluster.Namespace);
        await cluster.ApplyAsync("web", 1, spec => spec.Route = new() { Hosts = ["web.example.org"], Tls = new() { SecretName = "tls" } });
        var laid = await Eventually.See(() => LaidAsync(cluster), seen => seen?.Data?.Count == 2);

        await cluster.Kubernetes.CoreV1.DeleteNamespacedSecretAsync(laid!.Metadata.Name, ApiGroup.ProxyNamespace);
        var again = await Eventually.See(() => LaidAsync(cluster), seen => seen?.Data?.Count == 2 && seen.Metadata.Uid != laid.Metadata.Uid);
        again!.Data["tls.crt"] = "rubbish"u8.ToArray();
        await cluster.Kubernetes.CoreV1.ReplaceNamespacedSecretAsync(again, again.Metadata.Name, ApiGroup.ProxyNamespace);
        await Eventually.See(() => LaidAsync(cluster), seen => seen!.Data["tls.crt"].SequenceEqual(laid.Data["tls.crt"]));

        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "web"), null, TestContext.Current.CancellationToken);
        await Eventually.True(async () => await LaidAsync(cluster) is null);
    }

    private V1Secret Secret()
    {
        var (certificate, key) = _authority.Server(90, "web.example.org");
        return new()
        {
            Metadata = new() { Name = "tls" },
            Type = "kubernetes.io/tls",
            Data = new Dictionary<string, byte[]> { ["tls.crt"] = certificate, ["tls.key"] = key },
        };
    }

    private static Task<WebApp> WaitAsync(TestCluster cluster, string reason, string message) => cluster.WaitForAppAsync("web", app =>
        Conditions.Find(app.Status?.Conditions, ConditionTypes.CertificateReady) is { } condition
        && condition.Reason == reason && condition.Message.StartsWith(message, StringComparison.Ordinal));

    private static async Task<V1Secret?> LaidAsync(TestCluster cluster)
    {
        try
        {
            return await cluster.Kubernetes.CoreV1.ReadNamespacedSecretAsync(ProxySecrets.NameOf(TestCluster.Namespace, "web"), ApiGroup.ProxyNamespace);
        }
        catch (HttpOperationException missing) when (missing.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }
    }
}
