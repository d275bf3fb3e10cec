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
    /// <summary>Hosts that nothing is done to; those after them may be cut off, frozen or killed, and nobody else notices.</summary>
    public const int Kept = 3;

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

    /// <summary>The lab of those who do nothing to its hosts, and of those who are alone with it.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static LabDescription ReadKept()
    {
        var lab = Read(Kept);
        return lab with { Hosts = [.. lab.Hosts.Take(Kept)] };
    }

    /// <summary>As many hosts more, to be broken.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static LabDescription ReadToBreak()
    {
        var lab = Read(2 * Kept);
        return lab with { Hosts = [.. lab.Hosts.Skip(Kept).Take(Kept)] };
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
