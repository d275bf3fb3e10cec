using System.Globalization;

namespace Orchestrator.Testing.Kubernetes;

/// <summary>
/// A real kube-apiserver with etcd, of one test run's own, on loopback. Nothing runs beside it: no controller-manager collects
/// owned objects or empties namespaces, no kubelet runs a pod.
/// </summary>
public sealed class KubeApiServer : IAsyncDisposable
{
    private readonly TemporaryFolder _state;
    private readonly string _kubectl;

    private KubeApiServer(TemporaryFolder state, string kubectl, string adminKubeconfig)
    {
        _state = state;
        _kubectl = kubectl;
        AdminKubeconfig = adminKubeconfig;
    }

    /// <summary>Path of a kubeconfig whose user may do everything.</summary>
    public string AdminKubeconfig { get; }

    /// <summary>Who did what, a line of JSON each (audit.k8s.io/v1); written if it was started so.</summary>
    public string AuditLog => _state["audit.log"];

    private static string Script => Repository.At("tests/lab/kube-apiserver");

    /// <summary>Takes about 5 s. The server goes with this process, however that ends.</summary>
    /// <param name="audit">Whether it writes <see cref="AuditLog"/>.</param>
    /// <exception cref="InvalidOperationException">A program is missing or the server does not start; the message says why.</exception>
    public static async Task<KubeApiServer> StartAsync(bool audit = false, CancellationToken cancellationToken = default)
    {
        var kubectl = await Dependency.PathOf("kubectl");
        var state = new TemporaryFolder();
        try
        {
            var process = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            string[] options = ["--state", state.Path, "--until-exit-of", process, .. audit ? ["--audit"] : Array.Empty<string>()];
            var up = await Command.RunAsync(Script, ["up", .. options], cancellationToken: cancellationToken);
            return new(state, kubectl, up.OrThrow().Output.TrimEnd('\n'));
        }
        catch
        {
            await Command.RunAsync(Script, ["down", "--state", state.Path], cancellationToken: CancellationToken.None);
            throw;
        }
    }

    /// <summary>Runs kubectl as the admin, in the default namespace unless told otherwise.</summary>
    public Task<Command> KubectlAsync(params IReadOnlyList<string> arguments) => KubectlWithInputAsync("", arguments);

    /// <inheritdoc cref="KubectlAsync"/>
    /// <param name="input">What <c>-f -</c> reads.</param>
    public Task<Command> KubectlWithInputAsync(string input, params IReadOnlyList<string> arguments) =>
        Command.RunAsync(_kubectl, ["--kubeconfig", AdminKubeconfig, "--cache-dir", _state["kubectl"], .. arguments], input);

    public async ValueTask DisposeAsync()
    {
        (await Command.RunAsync(Script, ["down", "--state", _state.Path])).OrThrow();
        if (Directory.Exists(_state.Path))
        {
            _state.Dispose();
        }
    }
}
