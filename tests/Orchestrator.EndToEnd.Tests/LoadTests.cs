using Orchestrator.Api;
using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.EndToEnd.Tests.Lab;
using Orchestrator.EndToEnd.Tests.Load;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>All that changes while a site is served, at once, under everything that visitors do.</summary>
[Collection<Alone>]
public sealed class LoadTests(ITestOutputHelper output)
{
    private const int Requests = 50_000; // at the least, spread over the changes
    private const int Versions = 10;

    /// <summary>Ends at once when it is told to stop, whatever is in flight: that nothing is in flight then is not for the app to see to.</summary>
    private const string Spec = """
          drainTimeoutSeconds: 30
          command: [/bin/sh, -c, "trap 'exit 0' TERM; /bin/server & wait"]
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Of_fifty_thousand_requests_none_is_lost_while_versions_and_scale_change_and_hosts_are_emptied()
    {
        await using var installation = await Installation.StartAsync();
        await installation.ApplyAsync(Manifests.Web("site", installation.Lab.Image("site:v1"), replicas: 6, Spec));
        await installation.SeeReady("site", 6);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "site"), page => page.Version == "v1");

        await using var crowd = new Crowd(new SiteVisits(installation.Http, "site"));
        await crowd.SeeEverywhere("v1");
        for (var number = 1; number <= Versions; number++)
        {
            var image = installation.Lab.Image(number % 2 == 0 ? "site:v1" : "site:v2");
            await installation.PatchAsync("site", $$"""{"image": "{{image}}", "env": [{"name": "VERSION", "value": "change-{{number}}"}]}""");
            await MeanwhileAsync(installation, number);
            await installation.SeeComplete("site");
            await crowd.SeeEverywhere($"change-{number}");
            await Eventually.True(() => crowd.Answered >= number * Requests / Versions, Limit);
            output.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} change {number} is everywhere, {crowd.Answered} were served");
        }

        await crowd.StopAsync();

        var failures = crowd.Failures;
        Assert.True(failures.Count == 0, $"{failures.Count} failed, {crowd.Answered} were served:\n{string.Join('\n', failures)}");

        // What a client would have asked again by itself, and kept from us.
        var metrics = await installation.Http.GetStringAsync(installation.ProxyMetrics);
        Assert.Contains("orchestrator_proxy_requests_total{namespace=\"default\",app=\"site\",code=\"5xx\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.Contains("orchestrator_proxy_responses_broken_off_total{namespace=\"default\",app=\"site\"} 0\n", metrics, StringComparison.Ordinal);
    }

    /// <summary>What else happens in the middle of a rollout.</summary>
    private static Task MeanwhileAsync(Installation installation, int change) => change switch
    {
        2 => ScaleAsync(installation, 9),
        3 => DeleteAllOnAsync(installation, installation.Engines[0]),
        5 => ScaleAsync(installation, 4),
        6 => TaintAsync(installation, installation.Engines[1]),
        8 => ScaleAsync(installation, 6),
        9 => TaintAsync(installation, installation.Engines[2]),
        _ => Task.CompletedTask,
    };

    private static async Task ScaleAsync(Installation installation, int replicas)
    {
        await Eventually.See(() => installation.GetAsync("webapp", "site"), app => app["status"]!["updatedReplicas"]?.GetValue<int>() > 0);
        (await installation.KubectlAsync("scale", "webapp", "site", $"--replicas={replicas}")).OrThrow();
    }

    /// <summary>A host is emptied by hand, all of it at once.</summary>
    private static async Task DeleteAllOnAsync(Installation installation, Engine host)
    {
        (await installation.OrcAsync("hosts", "cordon", host.Name)).OrThrow();
        (await installation.KubectlAsync("delete", "replicas", "-l", $"{Labels.Host}={host.Name}", "--wait=false")).OrThrow();
        await SeeEmpty(installation, host);
        (await installation.OrcAsync("hosts", "uncordon", host.Name)).OrThrow();
    }

    /// <summary>A host is to be left by all that do not tolerate it.</summary>
    private static async Task TaintAsync(Installation installation, Engine host)
    {
        await PatchHostAsync("""[{"key": "maintenance", "effect": "NoExecute"}]""");
        await SeeEmpty(installation, host);
        await PatchHostAsync("null");

        async Task PatchHostAsync(string taints) => (await installation.KubectlAsync(
            "patch", "dockerhost", host.Name, "--type", "merge", "--patch", $$$"""{"spec": {"taints": {{{taints}}}}}""")).OrThrow();
    }

    private static Task SeeEmpty(Installation installation, Engine host) => Eventually.See(
        () => installation.ContainersAsync("site"), containers => containers.All(container => container.Host != host.Name), Limit);
}
