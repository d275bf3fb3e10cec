using System.Diagnostics;

namespace Orchestrator.ApiServer.Tests.Kubectl;

/// <summary>The real kubectl (1.35) against the server, a command a row.</summary>
public sealed class KubectlTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>
{
    /// <summary>Command, exit code, and a regular expression that its output fits. The namespace has a WebApp named web, a file web.yaml is at hand.</summary>
    public static TheoryData<string, int, string> Commands => new()
    {
        { "version", 0, @"Server Version: v1\.35\.0\+orchestrator" },
        { "api-resources", 0, @"webapps +wa +orchestrator\.dev/v1 +true +WebApp" },
        { "api-versions", 0, @"orchestrator\.dev/v1" },
        { "get crd", 0, @"webapps\.orchestrator\.dev" },
        { "get ns", 0, @"default +Active" },
        { "get wa", 0, @"NAME +DESIRED.*\nweb " },
        { "get orchestrator", 0, @"webapp\.orchestrator\.dev/web" },
        { "get webapps.orchestrator.dev web -o wide", 0, "registry/web:v1" },
        { "get wa web -o yaml", 0, @"kind: WebApp[\s\S]*image: registry/web:v1" },
        { "get wa -o json", 0, "\"kind\": \"List\"" },
        { "get wa web -o jsonpath={.spec.replicas}", 0, "^2$" },
        { "get wa web -o custom-columns=N:.metadata.name", 0, "web" },
        { "get wa -l none=here", 0, "No resources found" },
        { "get wa nothing", 1, "webapps.orchestrator.dev \"nothing\" not found" },
        { "get wa web --subresource=scale", 0, "web" },
        { "describe wa web", 0, @"Kind: +WebApp[\s\S]*Events: +<none>" },
        { "explain webapp.spec.replicas", 0, @"FIELD: replicas <integer>" },
        { "explain secret.data", 0, "FIELD: data <map" },
        { "apply -f web.yaml", 0, "webapp.orchestrator.dev/web configured" },
        { "apply -f web.yaml --dry-run=server", 0, @"configured \(server dry run\)" },
        { "apply -f bad.yaml", 1, "unknown field \"spec.imagee\"" },
        { "apply -f negative.yaml", 1, @"spec.replicas: Invalid value: -1" },
        { "apply -f web.yaml --server-side", 1, "server-side apply is not supported" },
        { "diff -f web.yaml", 1, @"\+ +replicas: 4" },
        { "replace -f web.yaml", 0, "replaced" },
        { "create -f web.yaml", 1, "already exists" },
        { "scale wa web --replicas=5", 0, "scaled" },
        { "scale wa web --replicas=5 --current-replicas=9", 1, "Expected replicas to be 9, was 2" },
        { "patch wa web --type=merge -p {\"spec\":{\"replicas\":3}}", 0, "patched" },
        { "patch wa web --type=json -p [{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":3}]", 0, "patched" },
        { "patch wa web --subresource=status --type=merge -p {\"status\":{\"readyReplicas\":1}}", 0, "patched" },
        { "patch wa web -p {\"spec\":{\"replicas\":3}}", 1, "application/merge-patch\\+json" },
        { "label wa web a=b", 0, "labeled" },
        { "annotate wa web a=b", 0, "annotated" },
        { "edit wa web", 0, "edited" },
        { "wait wa web --for=jsonpath={.spec.replicas}=2 --timeout=20s", 0, "condition met" },
        { "wait wa web --for=delete --timeout=1s", 1, "timed out" },
        { "delete wa web", 0, "deleted" },
        { "delete wa --all --cascade=foreground", 0, "deleted" },
        { "delete -f web.yaml --cascade=orphan", 0, "deleted" },
        { "create ns kubectl-made", 0, "namespace/kubectl-made created" },
        { "create secret generic s --from-literal=a=b", 0, "secret/s created" },
        { "create secret docker-registry r --docker-server=r --docker-username=u --docker-password=p", 0, "created" },
        { "create cm c --from-literal=a=b", 0, "configmap/c created" },
        { "create cm c --from-literal=a=b --dry-run=server -o yaml", 0, "a: b" },
        { "auth whoami", 0, "orchestrator:admin" },
        { "auth can-i create webapps", 0, "yes" },
        { "auth can-i --list", 0, @"\*" },
        { "get events", 0, "No resources found" },
        { "events", 0, "No events found" },
        { "get --raw /readyz", 0, "^ok" },
        { "get secrets,cm,leases -A", 0, "" },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Kubectl_works(string command, int code, string pattern)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["web.yaml"], Manifest("image: registry/web:v1, replicas: 4"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["bad.yaml"], Manifest("imagee: x, image: y"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["negative.yaml"], Manifest("image: y, replicas: -1"), TestContext.Current.CancellationToken);
        var apps = await server.WebAppAsync();
        var (exitCode, output) = await RunAsync(folder.Path, $"-n {apps.Split('/')[5]} {command}");
        Assert.True(code == exitCode, $"exit code {exitCode}: {output}");
        Assert.Matches(pattern, output);
    }

    [Fact]
    public async Task Kubectl_watches()
    {
        var apps = await server.WebAppAsync();
        using var folder = new TemporaryFolder();
        using var watching = Start(folder.Path, $"-n {apps.Split('/')[5]} get wa -w --output-watch-events --no-headers");
        Assert.Matches("^ADDED +web +", await LineAsync(watching));
        await server.MergeAsync(apps + "/web", """{"spec":{"replicas":3}}""");
        Assert.Matches("^MODIFIED +web +", await LineAsync(watching));
        await server.DeleteAsync(apps + "/web");
        Assert.Matches("^DELETED +web +", await LineAsync(watching));
        watching.Kill();
    }

    private static string Manifest(string spec) =>
        $"apiVersion: orchestrator.dev/v1\nkind: WebApp\nmetadata: {{name: web}}\nspec: {{{spec}}}\n";

    private async Task<(int Code, string Output)> RunAsync(string folder, string arguments)
    {
        using var process = Start(folder, arguments);
        var (output, errors) = (
            process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken),
            process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    private Process Start(string folder, string arguments)
    {
        var start = new ProcessStartInfo(Find())
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["KUBECONFIG"] = server.Server.AdminKubeconfig,
                ["HOME"] = folder,
                ["EDITOR"] = "sed -i s/replicas:.2/replicas:\\ 7/",
            },
        };
        foreach (var argument in arguments.Split(' '))
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static async Task<string?> LineAsync(Process process) => await process.StandardOutput
        .ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);

    /// <summary>From the variable KUBECTL, or from the cache that <c>make deps</c> fills.</summary>
    private static string Find()
    {
        var cache = Environment.GetEnvironmentVariable("ORCHESTRATOR_CACHE")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "orchestrator");
        var kubectl = Environment.GetEnvironmentVariable("KUBECTL") ?? Path.Combine(cache, "bin", "kubectl");
        Assert.True(File.Exists(kubectl), $"there is no kubectl at {kubectl}: 'make deps' brings it, or set KUBECTL to the path of one (1.35)");
        return kubectl;
    }
}
