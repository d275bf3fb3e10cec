using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>
/// What comes in the middle of a rollout: another version, the way back, a crash, the loss of a host. What was asked for last is
/// what comes, and at every moment there are as many replicas as the strategy says.
/// </summary>
[Collection<BreakingHosts>]
public sealed class MidRolloutTests(SharedInstallationToBreak shared) : IClassFixture<SharedInstallationToBreak>
{
    private const int Replicas = 6;
    private const int MaxSurge = 2;
    private const int MaxUnavailable = 1;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private Installation Installation => shared.Installation;

    [Fact]
    public async Task Whatever_comes_in_the_middle_the_last_word_counts_and_no_request_is_lost()
    {
        await ApplyAsync("web", "web:v1");
        var first = Revision(await SeeComplete("web"));
        await Eventually.See(() => Visitor.OnceAsync(Installation.Http, "web"), page => page.Version == "v1");
        await using var watch = await WatchAsync("web");
        await using var visitor = Installation.Visit("web");

        // A third version, and then the first one again.
        await ApplyAsync("web", "web:v2");
        await SeeInTheMiddle("web");
        await ApplyAsync("web", "web:v2", "  env: [{ name: GREETING, value: hello }]");
        await SeeInTheMiddle("web");
        await ApplyAsync("web", "web:v1");
        Assert.Equal(first, Revision(await SeeComplete("web")));

        // The death of the control plane, and the way back.
        await ApplyAsync("web", "web:v2");
        await SeeInTheMiddle("web");
        await Installation.KillAsync();
        await Installation.ServeAsync();
        (await Installation.OrcAsync("rollout", "undo", "web")).OrThrow();
        Assert.Equal(first, Revision(await SeeComplete("web")));

        // A third version, to the end.
        await ApplyAsync("web", "web:v2");
        await SeeInTheMiddle("web");
        await ApplyAsync("web", "web:v2", "  env: [{ name: GREETING, value: hello }]");
        await SeeOnly("web", Revision(await SeeComplete("web")));

        // The object of one that was on its way goes a moment after its container.
        await Eventually.See(
            () => Installation.ReplicasAsync("web"),
            replicas => replicas.Count == Replicas && replicas.All(replica => replica["spec"]!["template"]!["env"]?[0]!["name"]!.GetValue<string>() == "GREETING"),
            Limit);
        Assert.All(watch.Breaches, breach => Assert.Fail(breach));
        await visitor.NoneFailedAsync();
        Assert.Equal(new HashSet<string> { "v1", "v2" }, visitor.Versions.ToHashSet());
    }

    [Fact]
    public async Task A_host_lost_in_the_middle_costs_what_was_on_it_and_once_it_is_back_all_of_it_is_the_new_version()
    {
        await ApplyAsync("site", "web:v1");
        await SeeComplete("site");
        await using var watch = await WatchAsync("site");
        var host = Installation.Lab.Hosts[^1];

        await ApplyAsync("site", "web:v2");
        await SeeInTheMiddle("site");
        await host.WhileAwayAsync("cut", "mend", async () =>
        {
            watch.Lose(host.Name);

            // Its replicas are replaced, and the rollout is complete without the host.
            await SeeComplete("site");
            watch.Regain();
        });

        await SeeOnly("site", Revision(await SeeComplete("site")));
        Assert.All(watch.Breaches, breach => Assert.Fail(breach));
        Assert.Equal("v2", (await Visitor.OnceAsync(Installation.Http, "site")).Version);
    }

    private Task ApplyAsync(string app, string image, string more = "") => Installation.ApplyAsync(Manifests.Web(app, Installation.Lab.Image(image), Replicas, $$"""
          minReadySeconds: 1
          strategy: { rollingUpdate: { maxSurge: {{MaxSurge}}, maxUnavailable: {{MaxUnavailable}} } }
        {{more}}
        """));

    private Task<ReplicaWatch> WatchAsync(string app) =>
        ReplicaWatch.StartAsync(Installation, app, most: Replicas + MaxSurge, fewestReady: Replicas - MaxUnavailable);

    /// <summary>Until some replicas, but not all, are of what was asked for last.</summary>
    private Task SeeInTheMiddle(string app) => Eventually.See(
        () => Installation.GetAsync("webapp", app), seen => IsObserved(seen) && Number(seen, "updatedReplicas") is > 0 and < Replicas, Limit);

    private Task<JsonNode> SeeComplete(string app) => Eventually.See(
        () => Installation.GetAsync("webapp", app),
        seen => IsObserved(seen)
            && Revision(seen) == seen["status"]!["updateRevision"]!.GetValue<string>()
            && Number(seen, "replicas") == Replicas && Number(seen, "updatedReplicas") == Replicas && Number(seen, "availableReplicas") == Replicas,
        Limit);

    /// <summary>Until nothing else is left of the app on any host: whatever was on its way has gone again.</summary>
    private Task SeeOnly(string app, string revision) => Eventually.See(
        async () => string.Join("; ", (await Installation.ContainersAsync(app)).Select(container => $"{container.Labels[Labels.Revision]} {container.State} on {container.Host}")),
        seen => seen.Split("; ") is { Length: Replicas } containers && containers.All(one => one.StartsWith($"{revision} running ", StringComparison.Ordinal)),
        Limit);

    private static bool IsObserved(JsonNode app) =>
        app["status"]?["observedGeneration"]?.GetValue<long>() == app["metadata"]!["generation"]!.GetValue<long>();

    private static string Revision(JsonNode app) => app["status"]?["currentRevision"]?.GetValue<string>() ?? "";

    private static int Number(JsonNode app, string field) => app["status"]?[field]?.GetValue<int>() ?? 0;
}
