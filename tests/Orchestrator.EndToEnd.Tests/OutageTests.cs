using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>A host goes in one way or another while people visit; none of them notices, and nothing is made twice for no reason.</summary>
[Collection<BreakingHosts>]
public sealed class OutageTests
{
    private const int Replicas = 6;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("cut", "mend")]
    [InlineData("power-off", "power-on")]
    public async Task A_host_that_is_gone_is_replaced_and_its_replicas_are_taken_back_when_it_returns(string goes, string returns)
    {
        await using var installation = await StartAsync();
        var (before, host) = (await installation.ReplicasAsync("web"), installation.Lab.Hosts[2]);
        await using var visitor = installation.Visit("web", people: 4);

        await host.WhileAwayAsync(goes, returns, async () =>
        {
            await SeeReadyElsewhere(installation, host.Name);
            Assert.Equal("False Silent", await ConditionAsync(installation, host.Name, ConditionTypes.Alive));
            Assert.Contains("ReplicasLost", (await installation.KubectlAsync("get", "events")).OrThrow().Output, StringComparison.Ordinal);
        });

        // Those that were there first stay: they level the hosts.
        await Eventually.See(() => installation.ReplicasAsync("web"), seen => Names(seen).SetEquals(Names(before)), Limit);
        await installation.SeeReady("web", Replicas);
        await Eventually.See(() => installation.ContainersAsync("web"), seen => seen.Count == Replicas, Limit);
        await Eventually.See(() => ConditionAsync(installation, host.Name, ConditionTypes.Alive), alive => alive == "True EngineAnswers", Limit);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Host == host.Name);
        await visitor.NoneFailedAsync();
    }

    [Theory]
    [InlineData("kill-engine", "start-engine")]
    [InlineData("freeze", "thaw")]
    public async Task An_engine_that_is_gone_leaves_its_replicas_serving_until_they_are_moved(string goes, string returns)
    {
        await using var installation = await StartAsync();
        var (before, host) = (await installation.ReplicasAsync("web"), installation.Lab.Hosts[2]);
        await using var visitor = installation.Visit("web", people: 4);

        await host.WhileAwayAsync(goes, returns, async () =>
        {
            await Eventually.See(() => ConditionAsync(installation, host.Name, ConditionTypes.Alive), alive => alive == "True ReplicasAnswer", Limit);
            await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Host == host.Name);
            Assert.Equal(Names(before), Names(await installation.ReplicasAsync("web")));

            (await installation.KubectlAsync("patch", "dockerhost", host.Name, "--type", "merge", "-p", """{"spec": {"engineDownAfterSeconds": 1}}""")).OrThrow();
            await SeeReadyElsewhere(installation, host.Name);
        });

        // What was moved is stopped as soon as there is an engine that can.
        await Eventually.See(
            () => installation.ContainersAsync("web"), seen => seen.Count == Replicas && seen.All(container => container.Host != host.Name), Limit);
        await visitor.NoneFailedAsync();
    }

    [Fact]
    public async Task A_host_that_an_empty_one_takes_the_place_of_carries_its_share_again_and_nothing_is_there_twice()
    {
        await using var installation = await StartAsync();
        var host = installation.Lab.Hosts[2];
        await using var visitor = installation.Visit("web", people: 4);

        await host.WhileAwayAsync("power-off", "replace", () => SeeReadyElsewhere(installation, host.Name));

        await installation.SeeReady("web", Replicas);
        var containers = await Eventually.See(
            () => installation.ContainersAsync("web"),
            seen => seen.Count == Replicas && seen.Any(container => container.Host == host.Name) && seen.All(container => container.State == "running"),
            Limit * 2);
        Assert.Equal(Replicas, containers.Select(container => container.Labels[Labels.ReplicaUid]).Distinct().Count());
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Host == host.Name);
        await visitor.NoneFailedAsync();
    }

    [Fact]
    public async Task When_most_hosts_are_cut_off_at_once_nothing_is_replaced_and_what_is_left_serves()
    {
        await using var installation = await StartAsync();
        var before = Names(await installation.ReplicasAsync("web"));
        var (one, other) = (installation.Lab.Hosts[1], installation.Lab.Hosts[2]);
        await using var visitor = installation.Visit("web", people: 4);

        await one.WhileAwayAsync("cut", "mend", () => other.WhileAwayAsync("cut", "mend", async () =>
        {
            await installation.SeeDescribed("webapp", "web", "HostsInDoubt", Limit);
            Assert.Equal(before, Names(await installation.ReplicasAsync("web")));
        }));

        await installation.SeeReady("web", Replicas);
        Assert.Equal(before, Names(await installation.ReplicasAsync("web")));
        await visitor.NoneFailedAsync();
    }

    private static async Task<Installation> StartAsync()
    {
        var installation = await Installation.StartToBreakAsync();
        await installation.ApplyAsync(Manifests.Web("web", installation.Lab.Image("web:v1"), Replicas));
        await installation.SeeReady("web", Replicas);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Version == "v1");
        return installation;
    }

    private static Task SeeReadyElsewhere(Installation installation, string host) => Eventually.See(
        () => installation.ReplicasAsync("web"),
        seen => seen.Count(replica => replica["status"]?["ready"]?.GetValue<bool>() == true && replica["spec"]!["hostName"]!.GetValue<string>() != host) == Replicas,
        Limit);

    private static HashSet<string> Names(IEnumerable<JsonNode> replicas) =>
        [.. replicas.Where(replica => replica["metadata"]!["deletionTimestamp"] is null).Select(replica => replica["metadata"]!["name"]!.GetValue<string>())];

    private static async Task<string> ConditionAsync(Installation installation, string host, string type)
    {
        var conditions = (await installation.GetAsync("dockerhost", host))["status"]?["conditions"]?.AsArray();
        var condition = conditions?.SingleOrDefault(one => one!["type"]!.GetValue<string>() == type);
        return $"{condition?["status"]} {condition?["reason"]}";
    }
}
