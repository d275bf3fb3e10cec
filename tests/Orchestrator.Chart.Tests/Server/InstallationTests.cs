using System.Text.RegularExpressions;

namespace Orchestrator.Chart.Tests.Server;

[Collection(nameof(ServerCollection))]
public sealed partial class InstallationTests(ServerFixture fixture)
{
    private const string AllKinds = "deployments,daemonsets,services,serviceaccounts,poddisruptionbudgets,roles,rolebindings,clusterroles,clusterrolebindings";

    [Theory]
    [MemberData(nameof(Chart.Cases), MemberType = typeof(Chart))]
    public async Task What_is_rendered_is_taken_and_taken_again(string name)
    {
        var server = fixture.Server;
        // The rendering for a server of today has kinds that this one does not know yet.
        var rendered = (await Chart.RenderAsync(name)).Replace("apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n", StringComparison.Ordinal);

        // A dry run makes none for what comes after it. One of them may be there from another test.
        var namespaces = NamespaceNames().Matches(rendered).Select(match => match.Groups[1].Value).ToList();
        foreach (var @namespace in namespaces.Append(Chart.Namespace))
        {
            await server.KubectlAsync("create", "namespace", @namespace);
        }

        try
        {
            (await server.KubectlWithInputAsync(rendered, "apply", "--dry-run=server", "-f", "-")).OrThrow();
            (await server.KubectlWithInputAsync(rendered, "apply", "-f", "-")).OrThrow();
            var again = (await server.KubectlWithInputAsync(rendered, "apply", "-f", "-")).OrThrow();

            var lines = again.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.All(lines, line => Assert.EndsWith(" unchanged", line, StringComparison.Ordinal));
        }
        finally
        {
            (await server.KubectlAsync("delete", AllKinds, "--all-namespaces", "-l", "app.kubernetes.io/name=orchestrator")).OrThrow();
            foreach (var @namespace in namespaces)
            {
                await RemoveAsync(@namespace);
            }
        }
    }

    [Fact]
    public async Task Helm_installs_upgrades_and_removes_all_that_it_made()
    {
        (await fixture.HelmAsync("install", "orc", Chart.Folder, "--create-namespace")).OrThrow();
        Assert.Equal(["deployment.apps/orc-orchestrator-controller", "deployment.apps/orc-orchestrator-proxy"], await Installed("deployments,daemonsets"));

        (await fixture.HelmAsync("upgrade", "orc", Chart.Folder, "--values", Chart.At("daemonset", "values.yaml"))).OrThrow();
        Assert.Equal(["daemonset.apps/orc-orchestrator-proxy", "deployment.apps/orc-orchestrator-controller"], await Installed("deployments,daemonsets"));

        (await fixture.HelmAsync("rollback", "orc", "1")).OrThrow();
        (await fixture.HelmAsync("uninstall", "orc")).OrThrow();
        Assert.Empty(await Installed(AllKinds));
        Assert.Equal(3, (await fixture.Server.KubectlAsync("get", "crd", "-o", "name")).OrThrow().Output.Count(character => character == '\n'));
    }

    [Fact]
    public async Task Packaged_it_is_complete()
    {
        using var folder = new TemporaryFolder();
        (await Chart.HelmAsync("package", Chart.Folder, "--destination", folder.Path)).OrThrow();
        var package = Assert.Single(Directory.GetFiles(folder.Path));

        var rendered = (await Chart.HelmAsync("template", "orc", package, "--include-crds")).OrThrow().Output;

        Assert.Equal(3, rendered.Split("\nkind: CustomResourceDefinition\n").Length - 1);
        Assert.Contains("\nkind: Deployment\n", rendered, StringComparison.Ordinal);
    }

    /// <summary>As a controller-manager would that has emptied it: helm takes over no namespace that is not its own.</summary>
    private async Task RemoveAsync(string @namespace)
    {
        (await fixture.Server.KubectlAsync("delete", "namespace", @namespace, "--wait=false")).OrThrow();
        var emptied = $$$"""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{{{@namespace}}}"}, "spec": {"finalizers": []}}""";
        (await fixture.Server.KubectlWithInputAsync(emptied, "replace", "--raw", $"/api/v1/namespaces/{@namespace}/finalize", "-f", "-")).OrThrow();
    }

    [GeneratedRegex(@"^kind: Namespace\nmetadata:\n  name: (\S+)$", RegexOptions.Multiline)]
    private static partial Regex NamespaceNames();

    private async Task<List<string>> Installed(string kinds)
    {
        var answer = await fixture.Server.KubectlAsync(
            "get", kinds, "--all-namespaces", "-l", "app.kubernetes.io/instance=orc", "-o", "name");
        return [.. answer.OrThrow().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }
}
