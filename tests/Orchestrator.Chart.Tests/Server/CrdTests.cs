using System.Text.Json.Nodes;

namespace Orchestrator.Chart.Tests.Server;

[Collection(nameof(ServerCollection))]
public sealed class CrdTests(ServerFixture fixture)
{
    [Theory]
    [InlineData("webapps")]
    [InlineData("replicas")]
    [InlineData("dockerhosts")]
    public async Task A_definition_is_structural_and_its_names_are_free(string plural)
    {
        var answer = (await fixture.Server.KubectlAsync("get", "crd", plural + ".orchestrator.dev", "-o", "json")).OrThrow();

        var conditions = JsonNode.Parse(answer.Output)!["status"]!["conditions"]!.AsArray();
        Assert.Equal(
            ["Established=True", "NamesAccepted=True"],
            conditions.Select(condition => $"{condition!["type"]}={condition["status"]}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("kubectl")]
    [InlineData("kubectl-1.20")]
    public async Task Old_and_new_kubectl_apply_change_scale_and_delete(string tool)
    {
        using var cache = new TemporaryFolder();
        var kubectl = await Dependency.PathOf(tool);
        var name = tool.Replace('.', '-');
        var manifest = $"""
            apiVersion: orchestrator.dev/v1
            kind: WebApp
            metadata:
              name: {name}
            spec:
              image: web:v1
              replicas: 3
            """;

        Assert.Equal($"webapp.orchestrator.dev/{name} created\n", await Run(manifest, "apply", "-f", "-"));
        Assert.Equal($"webapp.orchestrator.dev/{name} unchanged\n", await Run(manifest, "apply", "-f", "-"));
        await Run("", "patch", "wa", name, "--type=merge", "-p", "{\"spec\":{\"port\":81}}");
        await Run("", "scale", "webapp/" + name, "--replicas=5");
        Assert.Equal("5 81", await Run("", "get", "webapps", name, "-o", "jsonpath={.spec.replicas} {.spec.port}"));
        await Run("", "delete", "wa", name);
        Assert.Equal("", await Run("", "get", "wa", name, "--ignore-not-found"));

        async Task<string> Run(string input, params string[] arguments) => (await Command.RunAsync(
            kubectl,
            ["--kubeconfig", fixture.Server.AdminKubeconfig, "--cache-dir", cache.Path, .. arguments],
            input,
            TestContext.Current.CancellationToken)).OrThrow().Output;
    }
}
