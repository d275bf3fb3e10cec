using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.ApiServer;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Output;

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

    /// <summary>The executable, for what only a process has: signals, pipes, a terminal, an environment of its own.</summary>
    public static string OrcPath { get; } = Path.Combine(AppContext.BaseDirectory, "orc");

    public string Kubeconfig => _server!.AdminKubeconfig;

    public string DataFolder => _folder["data"];

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

    /// <summary>A kubeconfig whose context has a namespace.</summary>
    public async Task WriteKubeconfigAsync(string file, string space) => await File.WriteAllTextAsync(
        file,
        (await File.ReadAllTextAsync(Kubeconfig, TestContext.Current.CancellationToken))
            .Replace("    cluster: orchestrator\n", $"    cluster: orchestrator\n      namespace: {space}\n", StringComparison.Ordinal),
        TestContext.Current.CancellationToken);

    /// <summary>
    /// All of <c>orc</c> but the process, most of whose time would go into compiling the same code anew: a command takes a tenth of it here.
    /// </summary>
    public async Task<Command> OrcAsync(string[] arguments, string input = "")
    {
        string[] line = [.. arguments, "--kubeconfig", Kubeconfig];
        using var given = new MemoryStream(Encoding.UTF8.GetBytes(input));
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(given, output, errors);
        var exitCode = await Task.Run(() => Orc.RunAsync(line, terminal, TestContext.Current.CancellationToken));
        return new($"orc {string.Join(' ', line)}", exitCode, output.ToString(), errors.ToString());
    }

    public async Task<Command> KubectlAsync(string[] arguments, string input = "") => await Command.RunAsync(
        await Dependency.PathOf("kubectl"), [.. arguments, "--kubeconfig", Kubeconfig], input, TestContext.Current.CancellationToken);

    /// <summary>As the executable does: only before it is used can the way of reading and writing objects be chosen.</summary>
    [ModuleInitializer]
    internal static void UseModelJson() => ModelJson.Use();
}
