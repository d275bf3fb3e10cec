using System.Diagnostics;

namespace Orchestrator.EndToEnd.Tests.Lab;

/// <summary>A process of a host that is no container: it has a port there until disposed.</summary>
internal sealed class InNetworkOf : IAsyncDisposable
{
    private readonly Process _process;

    private InNetworkOf(Process process) => _process = process;

    /// <summary>Listens on an address in a host's network namespace.</summary>
    public static async Task<InNetworkOf> RunAsync(string networkNamespace, string address, int port)
    {
        // Any program that listens would do; this one is in the runtime the tests have anyway.
        var start = new ProcessStartInfo("nsenter", [$"--net={networkNamespace}", "--", "python3", "-m", "http.server", $"{port}", "--bind", address])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        using var http = new HttpClient();
        await Eventually.True(async () => (await http.GetAsync(new Uri($"http://{address}:{port}/"))).IsSuccessStatusCode);
        return new InNetworkOf(process);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
