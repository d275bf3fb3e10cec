using System.Diagnostics;
using System.Text.Json;
using Orchestrator.Testing.Lab;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>The lab of real engines that is up (<c>make lab-up</c>); the variable LAB says which of several.</summary>
internal sealed record Lab(
    string Gateway, string Docker, LabTls Tls, LabTls StrangerTls, string Registry, LabLogin RegistryWithPassword, IReadOnlyList<LabHost> Hosts)
{
    /// <summary>With the hosts that are kept whole.</summary>
    public static Lab Load()
    {
        var lab = Read();
        return lab with { Hosts = [.. lab.Hosts.Take(LabDescription.Kept)] };
    }

    /// <summary>With as many others, to be broken.</summary>
    public static Lab LoadToBreak()
    {
        var lab = Read();
        return lab with { Hosts = [.. lab.Hosts.Skip(LabDescription.Kept).Take(LabDescription.Kept)] };
    }

    public string WebImage => $"{Registry}/web:v1";

    /// <summary>Cuts off, freezes, kills or heals a host: a command of <c>tests/lab/host</c>.</summary>
    public static async Task DoAsync(string command, LabHost host)
    {
        var script = FindUpwards("tests/lab/host");
        await RunAsync(script, [command, host.Index.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
    }

    /// <summary>Runs the Docker command line against a host's engine, past everything that is tested.</summary>
    /// <returns>What it printed, without the last line break.</returns>
    public Task<string> DockerAsync(LabHost host, params string[] arguments) => RunAsync(Docker, ["--host", $"unix://{host.Socket}", .. arguments]);

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? (await output).TrimEnd('\n')
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}: {await errors}");
    }

    private static Lab Read()
    {
        var number = Environment.GetEnvironmentVariable("LAB") is { Length: > 0 } given ? given : "0";
        var path = $"/run/orchestrator-lab/{number}/lab.json";
        var hint = $"bring it up with 'make lab-up N={2 * LabDescription.Kept}'" + (number == "0" ? "." : $" LAB={number}.");
        if (!File.Exists(path))
        {
            throw new InvalidOperationException($"These tests run against real Docker engines, and lab {number} is not up ({path} is missing): {hint}");
        }

        var lab = JsonSerializer.Deserialize<Lab>(File.ReadAllText(path), JsonSerializerOptions.Web)!;
        return lab.Hosts.Count >= 2 * LabDescription.Kept
            ? lab
            : throw new InvalidOperationException($"These tests need {2 * LabDescription.Kept} hosts, and lab {number} has {lab.Hosts.Count}: {hint}");
    }

    private static string FindUpwards(string path)
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, path)))
            {
                return Path.Combine(folder, path);
            }
        }

        throw new FileNotFoundException($"{path} is in no folder above {AppContext.BaseDirectory}");
    }
}

internal sealed record LabTls(string Ca, string Certificate, string Key);

internal sealed record LabLogin(string Address, string Username, string Password);

internal sealed record LabHost(string Name, int Index, string Address, string Endpoint, string Socket, string NetworkNamespace, string PidFile);
