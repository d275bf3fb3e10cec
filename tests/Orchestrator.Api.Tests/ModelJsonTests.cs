using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using k8s;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class ModelJsonTests
{
    private const string Replica = """
        {
          "apiVersion": "orchestrator.dev/v1",
          "kind": "Replica",
          "metadata": {
            "name": "web-1", "namespace": "default", "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"orchestrator.dev/app": "web"},
            "ownerReferences": [{"apiVersion": "orchestrator.dev/v1", "controller": true, "kind": "WebApp", "name": "web", "uid": "u"}]
          },
          "spec": {"appName": "web", "revision": "r1", "template": {
            "image": "web:v1",
            "resources": {"limits": {"cpu": "500m"}},
            "readinessProbe": {"httpGet": {"path": "/", "port": 80}}
          }},
          "status": {"ready": true, "restarts": 2, "conditions": [{"type": "Ready", "status": "True", "reason": "Up", "message": "", "lastTransitionTime": "2026-01-02T03:04:05.000006Z"}]}
        }
        """;

    // Before any other test of this process has read or written anything: then it is too late.
    [ModuleInitializer]
    internal static void Use() => ModelJson.Use();

    [Fact]
    public void What_is_read_is_written_in_the_same_words()
    {
        var written = KubernetesJson.Serialize(KubernetesJson.Deserialize<Replica>(Replica));

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Replica), JsonNode.Parse(written)), written);
    }

    [Fact]
    public void What_has_no_name_of_its_own_is_written_too() =>
        Assert.Equal("""{"spec":{"replicas":3}}""", KubernetesJson.Serialize(new { Spec = new { Replicas = 3, Image = (string?)null } }));

    [Fact]
    public void Lists_are_read() =>
        Assert.Equal("web", KubernetesJson.Deserialize<CustomResourceList<WebApp>>("""{"items":[{"metadata":{"name":"web"}}]}""").Items.Single().Metadata.Name);
}
