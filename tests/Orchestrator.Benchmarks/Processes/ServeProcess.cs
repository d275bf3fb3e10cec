using System.Diagnostics;
using System.Net;
using System.Text;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.Benchmarks.Processes;

/// <summary>An <c>orc serve</c> on a data folder and without a host of its own, until it is disposed of.</summary>
internal sealed class ServeProcess : IAsyncDisposable
{
    /// <summary>Between two looks: the error of the measurement.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly StringBuilder _log = new();
    private readonly Process _process;
    private readonly string _dataFolder;
    private readonly int _metricsPort;

    private ServeProcess(Process process, string dataFolder, int metricsPort)
    {
        (_process, _dataFolder, _metricsPort) = (process, dataFolder, metricsPort);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string Kubeconfig => Path.Combine(_dataFolder, "admin.kubeconfig");

    public Uri Metrics => new($"http://127.0.0.1:{_metricsPort}/metrics");

    /// <summary>From the start of the process until its <c>/readyz</c> said ok.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    /// <summary>What it has printed so far.</summary>
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

    /// <summary>Returns when it is ready.</summary>
    /// <param name="dataFolder">One that is not there is made: keys, certificates, the database.</param>
    /// <exception cref="InvalidOperationException">It ended, or was not ready in time.</exception>
    public static async Task<ServeProcess> StartAsync(string dataFolder, CancellationToken cancellationToken)
    {
        var (api, metrics, proxy, admin) = (FreePort.Next(), FreePort.Next(), FreePort.Next(), FreePort.Next());
        var start = new ProcessStartInfo(
            Orc.Path,
            [
                "serve", "--data-folder", dataFolder, "--port", $"{api}", "--metrics-listen", $"127.0.0.1:{metrics}",
                "--proxy-listen", $"127.0.0.1:{proxy}", "--proxy-admin-listen", $"127.0.0.1:{admin}", "--no-local-host",
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var watch = Stopwatch.StartNew();
        var serve = new ServeProcess(Process.Start(start)!, dataFolder, metrics);
        try
        {
            await serve.SeeReadyAsync(watch, cancellationToken);
            return serve;
        }
        catch
        {
            await serve.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await Command.RunAsync("kill", ["-TERM", $"{_process.Id}"], cancellationToken: CancellationToken.None);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private async Task SeeReadyAsync(Stopwatch watch, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        while (!await IsReadyAsync(http, new Uri($"http://127.0.0.1:{_metricsPort}/readyz"), cancellationToken))
        {
            if (_process.HasExited || watch.Elapsed > Limit)
            {
                throw new InvalidOperationException(_process.HasExited
                    ? $"orc serve ended with {_process.ExitCode}:\n{Log}"
                    : $"orc serve was not ready within {Limit.TotalSeconds} s");
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }

        ReadyAfter = watch.Elapsed;
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, Uri readiness, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(readiness, cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return false;
        }
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
