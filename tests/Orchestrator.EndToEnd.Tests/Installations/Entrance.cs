using System.Diagnostics;
using Orchestrator.Testing.Lab;

namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>
/// A machine that users come in by: an <c>orc proxy</c> that has joined by a token, and Debian's keepalived by examples/keepalived, both in the
/// network of a host of the lab.
/// </summary>
internal sealed class Entrance : IAsyncDisposable
{
    public const int Port = 8080;

    private readonly TemporaryFolder _folder = new();
    private readonly LabHost _machine;
    private Process? _proxy;
    private Process? _keepalived;

    private Entrance(LabHost machine) => _machine = machine;

    /// <param name="address">The one that both have in turns.</param>
    public static async Task<Entrance> StartAsync(LabHost machine, LabHost other, string address, int priority, string token)
    {
        var entrance = new Entrance(machine);
        try
        {
            entrance.StartProxy(token);
            var example = await File.ReadAllTextAsync(Repository.At("examples/keepalived/keepalived.conf"));
            await File.WriteAllTextAsync(entrance._folder["keepalived.conf"], example
                .Replace("/etc/keepalived/check-proxy", Repository.At("examples/keepalived/check-proxy"), StringComparison.Ordinal)
                .Replace("192.0.2.11", machine.Address, StringComparison.Ordinal)
                .Replace("192.0.2.12", other.Address, StringComparison.Ordinal)
                .Replace("192.0.2.10", address, StringComparison.Ordinal)
                .Replace("priority 100", $"priority {priority}", StringComparison.Ordinal));
            entrance._keepalived = entrance.StartThere(
                await Dependency.PathOf("keepalived"),
                "--dont-fork", "--log-console", "--use-file", entrance._folder["keepalived.conf"], "--pid", entrance._folder["pid"], "--vrrp_pid", entrance._folder["vrrp.pid"]);
            return entrance;
        }
        catch
        {
            await entrance.DisposeAsync();
            throw;
        }
    }

    /// <param name="token">Null: it has joined before.</param>
    public void StartProxy(string? token = null) => _proxy = StartThere(
        Orc.Path,
        [
            "proxy", "--data-folder", _folder["proxy"], "--listen", $"0.0.0.0:{Port}", "--log-file", _folder["proxy.log"],
            .. token is null ? Array.Empty<string>() : ["--join", token.Trim()],
        ]);

    public async Task<bool> HasAsync(string address) =>
        (await Command.RunAsync("ip", ["-n", Path.GetFileName(_machine.NetworkNamespace), "-4", "address", "show", "dev", "eth0"]))
        .OrThrow().Output.Contains($" {address}/", StringComparison.Ordinal);

    /// <summary>SIGKILL to the proxy.</summary>
    public Task KillProxyAsync() => EndAsync(_proxy, "KILL");

    public async ValueTask DisposeAsync()
    {
        await EndAsync(_keepalived, "TERM");
        await EndAsync(_proxy, "TERM");
        _keepalived?.Dispose();
        _proxy?.Dispose();
        _folder.Dispose();
    }

    // Nsenter without a fork becomes the program: its id is the program's.
    private Process StartThere(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net=/run/netns/{Path.GetFileName(_machine.NetworkNamespace)}", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KUBECONFIG"] = "";
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task EndAsync(Process? process, string signal)
    {
        if (process is { HasExited: false })
        {
            await Command.RunAsync("kill", [$"-{signal}", $"{process.Id}"]);
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
    }
}
