using System.Diagnostics;
using Orchestrator.Api;
using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.EndToEnd.Tests.Lab;
using Orchestrator.Testing.Lab;

namespace Orchestrator.EndToEnd.Tests.Chaos;

/// <summary>
/// A random walk through what users do and what breaks: the same seed takes the same steps, though not at the same moments. At most one
/// host is broken at a time: with two of three gone, a replica of each app may be gone with them.
/// </summary>
internal sealed class Walk(Installation installation, int seed)
{
    /// <summary>The app that people visit: always there, so that none of them may notice anything.</summary>
    public const string Site = "site";

    /// <summary>The app that comes and goes, grows and shrinks.</summary>
    public const string Churn = "churn";

    public const int SiteReplicas = 6;
    public const int Surge = 2;
    private const int MostChurn = 9;

    private static readonly (string Goes, string Returns)[] Faults =
        [("cut", "mend"), ("freeze", "thaw"), ("kill-engine", "start-engine"), ("power-off", "power-on")];

    private readonly Random _random = new(seed);
    private readonly List<string> _story = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private string _siteVersion = "v1";
    private string _churnVersion = "v1";
    private (LabHost Host, string Returns)? _broken;
    private string? _drained;

    /// <summary>What was done, a line each, with the seconds since the start.</summary>
    public IReadOnlyList<string> Story => _story;

    /// <summary>Replicas that <see cref="Churn"/> is to have; null while there is no such app.</summary>
    public int? ChurnReplicas { get; private set; }

    /// <summary>Told the host that is about to break.</summary>
    public Action<string>? Breaking { get; set; }

    public Task BeginAsync() => ApplyAsync(Site, _siteVersion, SiteReplicas);

    /// <summary>A few steps, a moment after each other.</summary>
    public async Task RoundAsync()
    {
        var steps = _random.Next(3, 7);
        for (var step = 0; step < steps; step++)
        {
            await StepAsync();
            await Pace.PassAsync(TimeSpan.FromMilliseconds(_random.Next(0, 2500)));
        }
    }

    /// <summary>Everything works again.</summary>
    public async Task HealAsync()
    {
        if (_broken is { } broken)
        {
            Tell($"{broken.Returns} {broken.Host.Name}");
            await broken.Host.DoAsync(broken.Returns);
            _broken = null;
        }

        if (_drained is { } drained)
        {
            await DrainAsync(drained, false);
            _drained = null;
        }
    }

    private Task StepAsync() => _random.Next(100) switch
    {
        < 20 => BreakOrHealAsync(),
        < 40 => KillContainerAsync(),
        < 60 => ScaleAsync(),
        < 75 => NewVersionAsync(),
        < 85 => KillControlPlaneAsync(),
        < 93 => DrainOrNotAsync(),
        _ => DeleteChurnAsync(),
    };

    private async Task BreakOrHealAsync()
    {
        if (_broken is not null)
        {
            await HealAsync();
            return;
        }

        var host = installation.Lab.Hosts[_random.Next(installation.Engines.Count)];
        var (goes, returns) = Faults[_random.Next(Faults.Length)];
        if (goes != "freeze" && !await ServesElsewhereAsync(host.Name))
        {
            // Drained hosts, and such as flapped and are not trusted yet, may leave one that has all replicas: with it the site is gone, for
            // anybody. An engine that was killed is no better: it restarts all of them at once as it comes back.
            Tell($"spare {host.Name}, which alone has {Site}");
            return;
        }

        Tell($"{goes} {host.Name}");
        Breaking?.Invoke(host.Name);
        _broken = (host, returns);
        await host.DoAsync(goes);
    }

    private async Task<bool> ServesElsewhereAsync(string host) => (await installation.ReplicasAsync(Site))
        .Any(replica => replica["status"]?["ready"]?.GetValue<bool>() is true && replica["spec"]!["hostName"]!.GetValue<string>() != host);

    private async Task KillContainerAsync()
    {
        var app = _random.Next(2) == 0 ? Site : Churn;
        var (choice, remove) = (_random.Next(), _random.Next(2) == 0);
        var engines = installation.Engines.Where(engine => engine.Name != _broken?.Host.Name).ToList();
        var running = (await Task.WhenAll(engines.Select(engine => engine.ContainersAsync())))
            .SelectMany(list => list)
            .Where(container => container.State == "running" && installation.IsOurs(container) && container.Labels.GetValueOrDefault(Labels.App) == app)
            .OrderBy(container => container.Name, StringComparer.Ordinal)
            .ToList();
        if (running.Count == 0)
        {
            return;
        }

        Container victim = running[choice % running.Count];
        Tell($"{(remove ? "remove" : "kill")} {victim.Name} on {victim.Host}");
        var engine = installation.EngineOf(victim);
        await (remove ? engine.RemoveAsync(victim.Id) : engine.KillAsync(victim.Id));
    }

    private async Task ScaleAsync()
    {
        var replicas = _random.Next(0, MostChurn + 1);
        if (ChurnReplicas is null && await ExistsAsync(Churn))
        {
            // Deleted, and held by a replica on a host that is away: what is applied now would go with it.
            return;
        }

        ChurnReplicas = replicas;
        await ApplyAsync(Churn, _churnVersion, replicas);
    }

    private async Task NewVersionAsync()
    {
        if (_random.Next(2) == 0 || ChurnReplicas is not { } replicas)
        {
            _siteVersion = Other(_siteVersion);
            await ApplyAsync(Site, _siteVersion, SiteReplicas);
        }
        else
        {
            _churnVersion = Other(_churnVersion);
            await ApplyAsync(Churn, _churnVersion, replicas);
        }
    }

    private async Task KillControlPlaneAsync()
    {
        var away = TimeSpan.FromMilliseconds(_random.Next(0, 3000));
        Tell($"kill -9 of the control plane, back {away.TotalSeconds:F1} s later");
        await installation.KillAsync();
        await Pace.PassAsync(away);
        await installation.ServeAsync();
    }

    private async Task DrainOrNotAsync()
    {
        var host = installation.Engines[_random.Next(installation.Engines.Count)].Name;
        if (_drained is { } drained)
        {
            await DrainAsync(drained, false);
            _drained = null;
        }
        else
        {
            _drained = host;
            await DrainAsync(host, true);
        }
    }

    private async Task DeleteChurnAsync()
    {
        if (ChurnReplicas is null)
        {
            return;
        }

        Tell($"delete {Churn}");
        ChurnReplicas = null;
        (await installation.KubectlAsync("delete", "webapp", Churn, "--wait=false")).OrThrow();
    }

    private async Task<bool> ExistsAsync(string app) =>
        (await installation.KubectlAsync("get", "webapp", app, "--ignore-not-found", "-o", "name")).OrThrow().Output.Length > 0;

    private async Task DrainAsync(string host, bool drain)
    {
        Tell($"{(drain ? "drain" : "uncordon")} {host}");
        var patch = $$"""{"spec": {"drain": {{(drain ? "true" : "null")}} } }""";
        (await installation.KubectlAsync("patch", "dockerhost", host, "--type", "merge", "-p", patch)).OrThrow();
    }

    private Task ApplyAsync(string app, string version, int replicas)
    {
        Tell($"apply {app}: {version}, {replicas} replicas");
        return installation.ApplyAsync(Manifests.Web(
            app, installation.Lab.Image($"web:{version}"), replicas, $"  strategy: {{ rollingUpdate: {{ maxSurge: {Surge}, maxUnavailable: 1 }} }}"));
    }

    private void Tell(string what) => _story.Add($"{_watch.Elapsed.TotalSeconds,7:F1} {what}");

    private static string Other(string version) => version == "v1" ? "v2" : "v1";
}
