using System.Diagnostics;
using System.Net;
using System.Text;
using Orchestrator.Cli.Serving;
using Orchestrator.Cli.Tests.Commands;

namespace Orchestrator.Cli.Tests.Serving;

/// <summary>A real <c>orc serve</c> in a folder of a test's own. Ends what it started, the proxy included.</summary>
internal sealed class ServeProcess : IAsyncDisposable
{
    /// <summary>Of a machine that has far more to do than it can.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    private readonly TemporaryFolder _folder = new();
    private readonly StringBuilder _log = new();
    private readonly (int Api, int Proxy, int Admin, int Metrics) _ports = (FreePort.Next(), FreePort.Next(), FreePort.Next(), FreePort.Next());
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private Process? _serve;

    public string DataFolder => _folder["data"];

    public int Id => _serve!.Id;

    public int ExitCode => _serve!.ExitCode;

    public Uri ProxyUrl => new($"http://127.0.0.1:{_ports.Proxy}/");

    public Uri MetricsUrl => new($"http://127.0.0.1:{_ports.Metrics}/");

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

    public ProxyFolder Proxy => new(DataFolder);

    public string[] Arguments(params string[] more) =>
    [
        "serve", "--data-folder", DataFolder, "--port", $"{_ports.Api}", "--metrics-listen", $"127.0.0.1:{_ports.Metrics}",
        "--proxy-listen", $"127.0.0.1:{_ports.Proxy}", "--proxy-admin-listen", $"127.0.0.1:{_ports.Admin}", "--no-local-host", .. more,
    ];

    /// <summary>Starts it and waits until it and its proxy are ready.</summary>
    public async Task StartAsync(params string[] more)
    {
        _serve = Process.Start(new ProcessStartInfo(ServerFixture.OrcPath, Arguments(more)) { RedirectStandardError = true })!;
        _serve.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
            {
                _log.AppendLine(line.Data);
            }
        };
        _serve.BeginErrorReadLine();
        await Eventually.True(() => _serve.HasExited ? throw new InvalidOperationException(Log) : IsUp(new Uri(MetricsUrl, "/readyz")), StartLimit);
        if (!more.Contains("--no-proxy"))
        {
            await SeeProxy(_ => true);
        }
    }

    /// <summary>Waits for a proxy that answers and whose process is as wanted.</summary>
    public async Task<ProcessIdentity> SeeProxy(Func<ProcessIdentity, bool> wanted)
    {
        var record = await Eventually.See(() => Proxy.Read(), seen => seen is not null && wanted(seen.Process), StartLimit);
        await Eventually.True(() => IsUp(new Uri($"http://127.0.0.1:{_ports.Admin}/readyz")), StartLimit);
        return record!.Process;
    }

    /// <summary>SIGKILL to serve alone.</summary>
    public async Task KillAsync()
    {
        _serve!.Kill();
        await _serve.WaitForExitAsync();
    }

    public async Task<int> StopAsync(string signal = "-TERM")
    {
        (await Command.RunAsync("kill", [signal, $"{_serve!.Id}"])).OrThrow();
        await _serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _serve.ExitCode;
    }

    /// <summary>Whether the proxy takes a request, whatever it answers.</summary>
    public async Task<HttpStatusCode> AskProxyAsync()
    {
        // A connection of its own each time: this is about who listens.
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5), DefaultRequestHeaders = { ConnectionClose = true } };
        using var answer = await http.GetAsync(ProxyUrl);
        return answer.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_serve is { HasExited: false })
        {
            await StopAsync();
        }

        if (Proxy.Read() is { } left)
        {
            _ = Native.Kill(left.Process.Pid, Native.Sigkill);
            await Eventually.True(() => !left.Process.IsAlive());
        }

        _serve?.Dispose();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task<bool> IsUp(Uri url)
    {
        using var answer = await _http.GetAsync(url);
        return answer.IsSuccessStatusCode;
    }
}
