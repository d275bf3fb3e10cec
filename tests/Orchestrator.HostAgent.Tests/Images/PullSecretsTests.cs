using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Images;

namespace Orchestrator.HostAgent.Tests.Images;

public sealed class PullSecretsTests
{
    [Fact]
    public async Task An_API_server_that_is_away_is_a_problem_to_tell_and_no_obstacle_to_the_pull()
    {
        using var nowhere = new Kubernetes(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });
        var replica = new Replica
        {
            Metadata = new V1ObjectMeta { Name = "web-1", NamespaceProperty = "default" },
            Spec = new ReplicaSpec { Template = new ReplicaTemplate { ImagePullSecrets = [new V1LocalObjectReference { Name = "login" }] } },
        };

        var (logins, problems) = await new PullSecrets(nowhere).ForAsync(
            replica, ImageReference.Parse("r.example.org/web:v1")!, TestContext.Current.CancellationToken);

        Assert.Empty(logins);
        Assert.Equal(["Secret login cannot be read: the API server does not answer"], problems);
    }
}
