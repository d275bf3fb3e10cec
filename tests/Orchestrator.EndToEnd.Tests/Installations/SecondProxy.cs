using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orchestrator.Api;

namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>
/// One more entrance: an <c>orc proxy</c> beside the one that <c>orc serve</c> keeps, with ports and a folder of its own, as on
/// another machine.
/// </summary>
internal sealed class SecondProxy : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Installation _installation;
    private readonly HttpClient _admin;
    private readonly Process _process;
    private string _lease = "";

    private SecondProxy(Installation installation)
    {
        _installation = installation;
        var (port, adminPort) = (FreePort.Next(), FreePort.Next());
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };
        _admin = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{adminPort}") };
        _process = Process.Start(
            Orc.Path,
            [
                "proxy", "--kubeconfig", Path.Combine(installation.DataFolder, "proxy.kubeconfig"), "--data-folder", _folder.Path,
                "--listen", $"127.0.0.1:{port}", "--admin-listen", $"127.0.0.1:{adminPort}", "--log-file", _folder["proxy.log"],
            ]);
    }

    public HttpClient Http { get; }

    /// <summary>Starts one and waits for its Lease: from then on agents wait for it.</summary>
    public static async Task<SecondProxy> StartAsync(Installation installation)
    {
        // The first one's comes soon after orc serve is ready, and is not the one that is waited for.
        var known = await Eventually.See(() => RenewalsAsync(installation), seen => seen.Count > 0);
        var proxy = new SecondProxy(installation);
        try
        {
            var leases = await Eventually.See(() => RenewalsAsync(installation), seen => seen.Keys.Except(known.Keys).Any());
            proxy._lease = leases.Keys.Except(known.Keys).Single();
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    public Visitor Visit(string app, int people) => new(Http, app, people, witness: () => _installation.WitnessAsync(app));

    /// <summary>Requests in flight to each of an app's replicas, by the Replica's uid, as this proxy counts them.</summary>
    public async Task<IReadOnlyDictionary<string, int>> InFlightAsync(string app)
    {
        var routes = await _admin.GetFromJsonAsync<JsonArray>("routes");
        return routes!
            .Where(route => route!["app"]!.GetValue<string>() == $"default/{app}")
            .SelectMany(route => route!["endpoints"]!.AsArray())
            .ToDictionary(endpoint => endpoint!["replica"]!.GetValue<string>(), endpoint => endpoint!["inFlight"]!.GetValue<int>());
    }

    /// <summary>SIGKILL: its Lease stays, and is renewed no more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGSTOP: its connections stay and nothing happens on them.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT, and waits until it says that it lives.</summary>
    public async Task ThawAsync()
    {
        var before = (await RenewalsAsync(_installation))[_lease];
        await SignalAsync("CONT");
        await Eventually.See(() => RenewalsAsync(_installation), seen => seen[_lease] != before);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await SignalAsync("CONT");
            await SignalAsync("TERM");
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }

        _process.Dispose();
        _admin.Dispose();
        Http.Dispose();
        _folder.Dispose();
    }

    private async Task SignalAsync(string signal) => (await Command.RunAsync("kill", [$"-{signal}", $"{_process.Id}"])).OrThrow();

    /// <summary>When each proxy's Lease was renewed last.</summary>
    private static async Task<IReadOnlyDictionary<string, string>> RenewalsAsync(Installation installation)
    {
        var listed = await installation.KubectlAsync(
            "get", "leases", "-n", ApiGroup.SystemNamespace, "-l", $"{Labels.Component}={Labels.ProxyComponent}", "-o", "json");
        return JsonNode.Parse(listed.OrThrow().Output)!["items"]!.AsArray().ToDictionary(
            lease => lease!["metadata"]!["name"]!.GetValue<string>(), lease => lease!["spec"]!["renewTime"]!.GetValue<string>());
    }
}
