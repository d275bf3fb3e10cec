using System.Globalization;
using System.Text.Json;

namespace Orchestrator.Testing.Lab;

/// <summary>The lab that is up: several real Docker engines on this machine (docs/lab.md). Reads its <c>lab.json</c>.</summary>
public sealed record LabDescription(
    int Lab,
    string Network,
    string Gateway,
    string State,
    string Docker,
    LabTls Tls,
    LabTls StrangerTls,
    string Registry,
    LabRegistryWithPassword RegistryWithPassword,
    IReadOnlyList<string> Images,
    IReadOnlyList<LabHost> Hosts)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <param name="hosts">How many hosts the caller needs.</param>
    /// <exception cref="InvalidOperationException">No such lab is up; the message says how to bring it up.</exception>
    public static LabDescription Read(int hosts = 3)
    {
        var number = Environment.GetEnvironmentVariable("LAB") ?? "0";
        var file = $"/run/orchestrator-lab/{number}/lab.json";
        if (!File.Exists(file))
        {
            throw new InvalidOperationException($"no lab is up ({file} is missing); bring it up: make lab-up N={hosts} LAB={number}");
        }

        var lab = JsonSerializer.Deserialize<LabDescription>(File.ReadAllText(file), Json)
            ?? throw new InvalidOperationException($"{file} is empty; bring the lab up anew: make lab-down lab-up LAB={number}");
        return lab.Hosts.Count >= hosts
            ? lab
            : throw new InvalidOperationException($"lab {number} has {lab.Hosts.Count} hosts, {hosts} are needed: make lab-up N={hosts} LAB={number}");
    }

    /// <param name="nameAndTag">Such as <c>web:v1</c>.</param>
    public string Image(string nameAndTag) => $"{Registry}/{nameAndTag}";
}

/// <summary>Paths of PEM files.</summary>
public sealed record LabTls(string Ca, string Certificate, string Key);

public sealed record LabRegistryWithPassword(string Address, string Username, string Password);

/// <summary>One host of the lab.</summary>
/// <param name="Index">Counts from 1.</param>
/// <param name="Endpoint">Mutual TLS, as a production host would have it.</param>
/// <param name="Socket">The engine's unix socket, for the tests' own look at what is there.</param>
public sealed record LabHost(string Name, int Index, string Address, string Endpoint, string Socket, string NetworkNamespace, string PidFile)
{
    /// <summary>Cuts it off, freezes, kills or heals it: a command of <c>tests/lab/host</c>.</summary>
    public async Task DoAsync(string command) =>
        (await Command.RunAsync(Repository.At("tests/lab/host"), [command, Index.ToString(CultureInfo.InvariantCulture)])).OrThrow();

    /// <summary>Does something while the host is away, and has it back whatever comes of it.</summary>
    /// <param name="goes">How it goes, such as <c>cut</c>.</param>
    /// <param name="returns">How it comes back, such as <c>mend</c>.</param>
    public async Task WhileAwayAsync(string goes, string returns, Func<Task> meanwhile)
    {
        await DoAsync(goes);
        try
        {
            await meanwhile();
        }
        finally
        {
            await DoAsync(returns);
        }
    }
}
