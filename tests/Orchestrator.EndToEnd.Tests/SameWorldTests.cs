using System.Text.Json.Nodes;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>The same manifests through <c>orc</c> and through kubectl give the same world.</summary>
public sealed class SameWorldTests
{
    [Fact]
    public async Task Objects_applied_by_orc_and_by_kubectl_are_the_same_and_can_be_mixed()
    {
        await using var installation = await Installation.StartAsync();
        var image = installation.Lab.Image("web:v1");

        (await installation.OrcAsync(["apply", "-f", "-"], Manifests.Web("one", image, replicas: 2))).OrThrow();
        (await installation.KubectlAsync(["apply", "-f", "-"], Manifests.Web("two", image, replicas: 2))).OrThrow();
        await installation.SeeReady("one", 2);
        await installation.SeeReady("two", 2);

        Assert.Equal(Comparable(await installation.GetAsync("webapp", "two"), "two"), Comparable(await installation.GetAsync("webapp", "one"), "one"));

        // Each sees the other's objects as unchanged, and takes over where it left.
        Assert.Contains("unchanged", (await installation.KubectlAsync(["apply", "-f", "-"], Manifests.Web("one", image, replicas: 2))).OrThrow().Output, StringComparison.Ordinal);
        Assert.Contains("unchanged", (await installation.OrcAsync(["apply", "-f", "-"], Manifests.Web("two", image, replicas: 2))).OrThrow().Output, StringComparison.Ordinal);
        (await installation.OrcAsync(["apply", "-f", "-"], Manifests.Web("two", image, replicas: 1))).OrThrow();
        (await installation.KubectlAsync(["apply", "-f", "-"], Manifests.Web("one", image, replicas: 1))).OrThrow();
        await installation.SeeReady("one", 1);
        await installation.SeeReady("two", 1);
    }

    /// <summary>An object as text without what must differ: names, uids, times, revisions.</summary>
    private static string Comparable(JsonNode app, string name)
    {
        var metadata = app["metadata"]!.AsObject();
        foreach (var field in new[] { "uid", "resourceVersion", "creationTimestamp", "managedFields" })
        {
            metadata.Remove(field);
        }

        foreach (var condition in app["status"]!["conditions"]!.AsArray())
        {
            condition!.AsObject().Remove("lastTransitionTime");
        }

        return app.ToJsonString().Replace(name, "NAME", StringComparison.Ordinal);
    }
}
