using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.ApiServer;

[assembly: AssemblyFixture(typeof(Orchestrator.Cli.Tests.Commands.ServerFixture))]

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>
/// One embedded API server for all tests of commands, with no controllers behind it: what a command does is seen as it did it.
/// Each test works in a namespace of its own.
/// </summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private EmbeddedApiServer? _server;
    private int _namespaces;

    public static string OrcPath { get; } = Path.Combine(AppContext.BaseDirectory, "orc");

    public string Kubeconfig => _server!.AdminKubeconfig;

    public string ProxyKubeconfig => _server!.ProxyKubeconfig;

    public async ValueTask InitializeAsync() => _server = await EmbeddedApiServer.StartAsync(
        new ApiServerOptions { DataFolder = _folder["data"], Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Makes an empty namespace.</summary>
    public async Task<string> NamespaceAsync()
    {
        var name = $"test-{Interlocked.Increment(ref _namespaces)}";
        (await OrcAsync(["apply", "-f", "-"], $"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}")).OrThrow();
        return name;
    }

    public Task<Command> OrcAsync(string[] arguments, string input = "") =>
        Command.RunAsync(OrcPath, [.. arguments, "--kubeconfig", Kubeconfig], input, TestContext.Current.CancellationToken);

    public async Task<Command> KubectlAsync(string[] arguments, string input = "") => await Command.RunAsync(
        await Dependency.PathOf("kubectl"), [.. arguments, "--kubeconfig", Kubeconfig], input, TestContext.Current.CancellationToken);
}
