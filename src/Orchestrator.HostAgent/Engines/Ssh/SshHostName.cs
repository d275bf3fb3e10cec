using System.ComponentModel;
using System.Diagnostics;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>What ssh dials for a name: its configuration may give it another (HostName).</summary>
internal static class SshHostName
{
    private const string Key = "hostname ";

    /// <returns>A name or an address; the endpoint's own where ssh does not say.</returns>
    public static async Task<string> OfAsync(EngineEndpoint endpoint, string program, CancellationToken cancellationToken)
    {
        try
        {
            var start = new ProcessStartInfo(program, ["-G", "--", endpoint.Host]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var settings = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await errors;
            await process.WaitForExitAsync(cancellationToken);
            var line = settings.Split('\n').FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal));
            return line?[Key.Length..].Trim() is { Length: > 0 } name ? name : endpoint.Host;
        }
        catch (Win32Exception)
        {
            // That there is no ssh is told by whoever connects.
            return endpoint.Host;
        }
    }
}
