using Orchestrator.Testing.Kubernetes;

namespace Orchestrator.Chart.Tests.Server;

/// <summary>One real kube-apiserver for the tests of this folder, with the CRDs of the repository.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private static readonly string[] Kinds = ["WebApp", "Replica", "DockerHost"];

    private KubeApiServer? _server;

    public KubeApiServer Server => _server ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        _server = await KubeApiServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        (await Server.KubectlAsync("apply", "-f", Repository.At("crds"))).OrThrow();
        (await Server.KubectlAsync("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")).OrThrow();
        // This old a server says Established a moment before it says so in discovery, and its OpenAPI, by which kubectl judges
        // fields, comes later still.
        await Eventually.See(() => Server.KubectlAsync("get", "webapps,replicas,dockerhosts"), seen => seen.ExitCode == 0);
        await Eventually.See(
            () => Server.KubectlAsync("get", "--raw", "/openapi/v2"),
            seen => Kinds.All(kind => seen.Output.Contains($"dev.orchestrator.v1.{kind}\"", StringComparison.Ordinal)));
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>helm as the server's admin.</summary>
    internal Task<Command> HelmAsync(params IReadOnlyList<string> arguments) =>
        Chart.HelmAsync([.. arguments, "--kubeconfig", Server.AdminKubeconfig, "--namespace", Chart.Namespace]);
}

[CollectionDefinition(nameof(ServerCollection))]
public sealed class ServerCollection : ICollectionFixture<ServerFixture>;
