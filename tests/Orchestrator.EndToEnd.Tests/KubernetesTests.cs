using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Testing.Kubernetes;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>The very same controllers on a real kube-apiserver with etcd.</summary>
public sealed class KubernetesTests
{
    [Fact]
    public async Task An_app_is_applied_scaled_and_deleted_on_a_real_kube_apiserver()
    {
        await using var kubernetes = await KubeApiServer.StartAsync();
        (await kubernetes.KubectlAsync("apply", "-f", Repository.At("crds"))).OrThrow();
        (await kubernetes.KubectlAsync("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")).OrThrow();
        await using var installation = await Installation.StartAsync(kubeconfig: kubernetes.AdminKubeconfig);

        await installation.ApplyAsync(Manifests.Web("web", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("web", 3);
        Assert.Equal(["host1", "host2", "host3"], (await installation.ContainersAsync("web")).Select(container => container.Host).Order());
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Version == "v1");

        (await installation.KubectlAsync("scale", "webapp", "web", "--replicas", "5")).OrThrow();
        await installation.SeeReady("web", 5);

        (await installation.KubectlAsync("delete", "webapp", "web", "--timeout", "60s")).OrThrow();
        Assert.Empty(await installation.ContainersAsync("web"));
    }
}
