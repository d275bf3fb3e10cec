using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.EndToEnd.Tests.Kubernetes;

/// <summary>
/// <c>orc</c> as a kubelet would run it from the chart's pod: the pod's arguments and empty folders, its service account's token
/// where pods find it, nobody's uid, no capability, a read-only root. In a mount namespace of its own, with this machine's network.
/// </summary>
internal sealed class Pod : IAsyncDisposable
{
    // $1 the pod's user, $2 folder of orc, $3 folder of .NET, $4 folder of the service account, $5 the API server's port,
    // $6 number of empty folders, then these, then variables, orc and its arguments. What is used later is bound first: the folders may hide it.
    private const string Script = """
        set -e
        mount --make-rprivate /
        mount --bind "$2" /mnt
        mount --bind "$3" /srv
        mount --bind "$4" /media
        chmod 0755 /media # a temporary folder is its maker's alone, and the pod's user is another
        user=$1 port=$5 count=$6
        shift 6
        mount -t tmpfs tmpfs /run
        mkdir -p /run/secrets/kubernetes.io/serviceaccount
        mount --bind /media /run/secrets/kubernetes.io/serviceaccount
        while [ "$count" -gt 0 ]; do
            if [ ! -d "$1" ]; then
                mount -t tmpfs tmpfs "$(dirname "$1")"
                mkdir "$1"
            fi
            mount -t tmpfs -o mode=0777 tmpfs "$1"
            shift
            count=$((count - 1))
        done
        mount -o remount,bind,ro /
        cd /
        exec setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
            env -i PATH=/usr/bin:/bin DOTNET_ROOT=/srv KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT="$port" "$@"
        """;

    private readonly StringBuilder _log = new();
    private readonly TemporaryFolder _account;
    private readonly Process _process;

    private Pod(TemporaryFolder account, ProcessStartInfo start)
    {
        _account = account;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <param name="template">A pod template's spec, of one container.</param>
    /// <param name="ports">A pod has all ports to itself; this machine has others that use them: text in the arguments, and what replaces it.</param>
    public static Pod Start(JsonNode template, string token, string certificateAuthority, Uri server, IReadOnlyDictionary<string, string> ports)
    {
        var account = new TemporaryFolder();
        File.WriteAllText(account["token"], token);
        File.WriteAllText(account["ca.crt"], certificateAuthority);
        File.WriteAllText(account["namespace"], template["namespace"]?.GetValue<string>() ?? "orchestrator-system");

        var container = template["containers"]!.AsArray().Single()!;
        var folders = container["volumeMounts"]!.AsArray().Select(mount => mount!["mountPath"]!.GetValue<string>()).ToList();
        var variables = container["env"]!.AsArray().Select(variable => $"{variable!["name"]}={variable["value"]}");
        var arguments = container["args"]!.AsArray()
            .Select(argument => ports.Aggregate(argument!.GetValue<string>(), (text, port) => text.Replace(port.Key, port.Value, StringComparison.Ordinal)));
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        string[] words =
        [
            "--mount", "sh", "-c", Script, "sh", template["securityContext"]!["runAsUser"]!.ToString(), AppContext.BaseDirectory, dotnet,
            account.Path, $"{server.Port}", $"{folders.Count}", .. folders,
            .. variables, "/mnt/orc", .. arguments,
        ];
        return new(account, new ProcessStartInfo("unshare", words) { RedirectStandardOutput = true, RedirectStandardError = true });
    }

    /// <summary>SIGKILL, as when its node dies.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as when it is deleted.</summary>
    /// <exception cref="InvalidOperationException">It did not end in an orderly way.</exception>
    public async Task StopAsync()
    {
        (await Command.RunAsync("kill", ["-TERM", $"{_process.Id}"])).OrThrow();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        if (_process.ExitCode != 0)
        {
            throw new InvalidOperationException($"exit code {_process.ExitCode}:\n{Log}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
        _account.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (_log)
            {
                _log.AppendLine(line);
            }
        }
    }
}
