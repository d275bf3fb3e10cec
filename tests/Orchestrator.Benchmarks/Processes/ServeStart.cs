using System.Diagnostics;
using System.Net;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.Benchmarks.Processes;

/// <summary>How long <c>orc serve</c> takes from the start of its process until its <c>/readyz</c> says ok.</summary>
internal static class ServeStart
{
    /// <summary>Between two looks: the error of the measurement.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <param name="dataFolder">One that is not there is made: keys, certificates, the database.</param>
    public static async Task<TimeSpan> MeasureAsync(string dataFolder, CancellationToken cancellationToken)
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
        using var serve = Process.Start(start)!;
        var printed = Task.WhenAll(serve.StandardOutput.ReadToEndAsync(CancellationToken.None), serve.StandardError.ReadToEndAsync(CancellationToken.None));
        try
        {
            using var http = new HttpClient();
            while (!await IsReadyAsync(http, new Uri($"http://127.0.0.1:{metrics}/readyz"), cancellationToken))
            {
                if (serve.HasExited || watch.Elapsed > Limit)
                {
                    throw new InvalidOperationException(serve.HasExited
                        ? $"orc serve ended with {serve.ExitCode}:\n{string.Concat(await printed)}"
                        : $"orc serve was not ready within {Limit.TotalSeconds} s");
                }

                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            }

            return watch.Elapsed;
        }
        finally
        {
            if (!serve.HasExited)
            {
                await Command.RunAsync("kill", ["-TERM", $"{serve.Id}"], cancellationToken: CancellationToken.None);
                await serve.WaitForExitAsync(CancellationToken.None);
            }
        }
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
}
