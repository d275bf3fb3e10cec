using System.Net;
using System.Text.Json.Nodes;
using k8s;
using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.EndToEnd.Tests.Lab;
using Orchestrator.Testing.Kubernetes;
using Orchestrator.Testing.Lab;

namespace Orchestrator.EndToEnd.Tests.Kubernetes;

/// <summary>
/// The chart on a real kube-apiserver, its pods run as a kubelet would: the arguments are right, and the rights of its accounts are
/// enough and no more than enough.
/// </summary>
public sealed class ChartTests
{
    private const string Namespace = "orchestrator-system";
    private const string Controller = "orc-orchestrator-controller";
    private const string Proxy = "orc-orchestrator-proxy";

    // Rights that the job below has no use for, and why they are given.
    private static readonly Dictionary<string, string> Unused = new()
    {
        ["update webapps.orchestrator.dev/finalizers"] = "asked for by the admission plugin OwnerReferencesPermissionEnforcement, which is not on here",
        ["get webapps.orchestrator.dev"] = "makes sure that an app is gone before what it left is removed",
        ["get dockerhosts.orchestrator.dev"] = "makes sure that a host is gone before what it carried is given up",
        ["get replicas.orchestrator.dev"] = "looks at one that is there already when it is to be made",
        ["patch events"] = "counts an event that comes again",
        ["get controllerrevisions.apps"] = "makes replicas of the stable revision after a rollback when none is left to copy the template from",
        ["patch controllerrevisions.apps"] = "goes back to an earlier revision",
        ["delete controllerrevisions.apps"] = "drops what is beyond the history's limit",
        ["get configmaps"] = "reads what an app refers to; the one of the main job refers to nothing",
        ["create secrets"] = "keeps the content of a revision; as above",
        ["update secrets"] = "renews a certificate that it has ordered, and what is laid out for proxies of one that was changed; the main job has none",
        ["delete secrets"] = "drops it with the revision; as above",
    };

    [Fact]
    public async Task Its_pods_do_the_main_job_with_the_rights_they_have()
    {
        var lab = LabDescription.Read(hosts: 1);
        using var engine = new Engine(lab.Hosts[0].Name, lab.Hosts[0].Socket);
        await using var server = await KubeApiServer.StartAsync(audit: true);
        var helm = await Command.RunAsync(
            await Dependency.PathOf("helm"),
            ["install", "orc", Repository.At("charts/orchestrator"), "--namespace", Namespace, "--create-namespace", "--kubeconfig", server.AdminKubeconfig]);
        helm.OrThrow();
        var ports = new Dictionary<string, string> { ["9180"] = $"{FreePort.Next()}", ["9181"] = $"{FreePort.Next()}", ["8080"] = $"{FreePort.Next()}", ["8443"] = $"{FreePort.Next()}" };
        await using var controller = await StartAsync(server, Controller, ports);
        await SeeReady(controller, ports["9180"]);
        await using var standby = await StartAsync(server, Controller, new Dictionary<string, string> { ["9180"] = $"{FreePort.Next()}" });
        await using var proxy = await StartAsync(server, Proxy, ports);
        await SeeReady(proxy, ports["9181"]);

        await JoinAsync(server, lab);
        await ApplyAsync(server, Manifests.Web("chart", lab.Image("web:v1"), replicas: 2));
        await SeeReplicas(server, 2);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports["8080"]}") };
        await Eventually.See(() => Visitor.OnceAsync(http, "chart"), page => page.Version == "v1");
        await ApplyAsync(server, Manifests.Web("chart", lab.Image("web:v2"), replicas: 2));
        await Eventually.See(() => Visitor.OnceAsync(http, "chart"), page => page.Version == "v2", TimeSpan.FromSeconds(60));
        await SeeReplicas(server, 2);

        await controller.KillAsync();
        (await server.KubectlAsync("scale", "webapp/chart", "--replicas=1")).OrThrow();
        await SeeReplicas(server, 1);

        (await server.KubectlAsync("delete", "webapp", "chart", "--timeout=60s")).OrThrow();
        (await server.KubectlAsync("delete", "dockerhost", "--all", "--timeout=60s")).OrThrow();
        Assert.DoesNotContain(await engine.ContainersAsync(), container => container.Labels.GetValueOrDefault(Api.Labels.App) == "chart");
        await standby.StopAsync();
        await proxy.StopAsync();
        Assert.Equal(
            "",
            (await server.KubectlAsync("get", "leases", "-n", Namespace, "-l", "orchestrator.dev/component=proxy", "-o", "name")).OrThrow().Output);

        await AssertRights(server, Controller);
        await AssertRights(server, Proxy);
    }

    private static async Task AssertRights(KubeApiServer server, string account)
    {
        var user = $"system:serviceaccount:{Namespace}:{account}";
        var log = new AuditLog(server.AuditLog, user);
        Assert.Empty(log.Refused());

        var listed = await server.KubectlAsync("auth", "can-i", "--list", "--no-headers", "-n", Namespace, "--as", user);
        var given = listed.OrThrow().Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.TrimStart().StartsWith('[') && !line.StartsWith("selfsubject", StringComparison.Ordinal))
            .SelectMany(line => line[(line.LastIndexOf('[') + 1)..].TrimEnd(']', ' ').Split(' ').Select(verb => $"{verb} {line.Split(' ')[0]}"));
        Assert.Empty(given.Except(log.Used()).Except(Unused.Keys).Order(StringComparer.Ordinal));
    }

    private static async Task<Pod> StartAsync(KubeApiServer server, string name, IReadOnlyDictionary<string, string> ports)
    {
        var workload = JsonNode.Parse((await server.KubectlAsync("get", "deployment", name, "-n", Namespace, "-o", "json")).OrThrow().Output)!;
        var template = workload["spec"]!["template"]!["spec"]!;
        var account = template["serviceAccountName"]!.GetValue<string>();
        var token = (await server.KubectlAsync("create", "token", account, "-n", Namespace)).OrThrow().Output.Trim();
        var admin = KubernetesClientConfiguration.BuildConfigFromConfigFile(server.AdminKubeconfig);
        var authority = (await server.KubectlAsync("config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.certificate-authority-data}")).OrThrow().Output;
        return Pod.Start(template, token, System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(authority)), new Uri(admin.Host), ports);
    }

    private static Task SeeReady(Pod pod, string port)
    {
        var http = new HttpClient();
        return Eventually.True(async () => pod.HasExited
            ? throw new InvalidOperationException($"orc has ended:\n{pod.Log}")
            : (await http.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"))).StatusCode == HttpStatusCode.OK);
    }

    private static async Task SeeReplicas(KubeApiServer server, int replicas)
    {
        await Eventually.See(
            async () => (await server.KubectlAsync(
                "get", "webapp", "chart", "-o",
                "jsonpath={.status.observedGeneration}={.metadata.generation} {.status.replicas} {.status.readyReplicas} {.status.updatedReplicas}")).OrThrow().Output,
            seen => seen.Split(' ') is [var generation, var there, var ready, var updated]
                && generation.Split('=') is [var observed, var current] && observed == current
                && (there, ready, updated) == ($"{replicas}", $"{replicas}", $"{replicas}"),
            TimeSpan.FromSeconds(90));
    }

    private static async Task JoinAsync(KubeApiServer server, LabDescription lab)
    {
        var host = lab.Hosts[0];
        (await server.KubectlAsync(
            "create", "secret", "generic", host.Name, "-n", Namespace,
            "--from-file=ca.crt=" + lab.Tls.Ca, "--from-file=tls.crt=" + lab.Tls.Certificate, "--from-file=tls.key=" + lab.Tls.Key)).OrThrow();
        await ApplyAsync(server, $"""
            apiVersion: orchestrator.dev/v1
            kind: DockerHost
            metadata:
              name: {host.Name}
            spec:
              endpoint: {host.Endpoint}
              tlsSecretName: {host.Name}
            """);
        (await server.KubectlAsync("wait", "--for=condition=Ready", "--timeout=30s", "dockerhost", host.Name)).OrThrow();
    }

    private static async Task ApplyAsync(KubeApiServer server, string manifest) =>
        (await server.KubectlWithInputAsync(manifest, "apply", "-f", "-")).OrThrow();
}
