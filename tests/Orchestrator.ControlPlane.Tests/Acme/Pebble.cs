using System.Diagnostics;
using System.Text;
using Orchestrator.ControlPlane.Acme;

namespace Orchestrator.ControlPlane.Tests.Acme;

/// <summary>
/// Let's Encrypt's own test server, with a name server of its own by which every host is this machine. As it ships it refuses every twentieth nonce
/// and keeps half of the authorizations; only its pauses are off.
/// </summary>
internal sealed class Pebble : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly List<Process> _processes = [];
    private readonly StringBuilder _log = new();

    private Pebble()
    {
    }

    public AcmeOptions Options { get; private set; } = null!;

    /// <summary>What it printed.</summary>
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

    /// <param name="httpPort">Where it asks for challenges.</param>
    public static async Task<Pebble> StartAsync(int httpPort)
    {
        var pebble = new Pebble();
        try
        {
            await pebble.StartProcessesAsync(httpPort);
            return pebble;
        }
        catch
        {
            await pebble.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _authority.Dispose();
        _folder.Dispose();
    }

    private async Task StartProcessesAsync(int httpPort)
    {
        var (directory, management, names) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        var (certificate, key) = _authority.Server(10, "127.0.0.1");
        await File.WriteAllBytesAsync(_folder["cert.pem"], certificate);
        await File.WriteAllBytesAsync(_folder["key.pem"], key);
        await File.WriteAllTextAsync(_folder["pebble.json"], $$"""
            {"pebble": {
              "listenAddress": "127.0.0.1:{{directory}}", "managementListenAddress": "127.0.0.1:{{management}}",
              "certificate": "{{_folder["cert.pem"]}}", "privateKey": "{{_folder["key.pem"]}}",
              "httpPort": {{httpPort}}, "tlsPort": {{FreePort.Next()}}, "ocspResponderURL": "", "externalAccountBindingRequired": false
            } }
            """);
        Start(
            await Dependency.PathOf("pebble-challtestsrv"),
            "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", $"127.0.0.1:{names}", "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", $"127.0.0.1:{FreePort.Next()}");
        Start(await Dependency.PathOf("pebble"), "-config", _folder["pebble.json"], "-dnsserver", $"127.0.0.1:{names}", "-strict");
        Options = new() { Email = "web@example.org", Directory = new($"https://127.0.0.1:{directory}/dir"), Authorities = [_authority.Certificate] };
        using var client = new HttpClient(AcmeClient.NewHandler(Options.Authorities));
        await Eventually.True(async () => (await client.GetAsync(Options.Directory)).IsSuccessStatusCode);
    }

    private void Start(string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PEBBLE_VA_NOSLEEP"] = "1";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }

    private void Keep(string? line)
    {
        lock (_log)
        {
            _log.AppendLine(line);
        }
    }
}
