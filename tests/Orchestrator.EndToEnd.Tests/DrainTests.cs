using System.Net;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>
/// Two proxies. A replica that is to go stops once each of them that lives has let go of it, whoever deletes it; one that died or
/// hangs holds nothing up.
/// </summary>
public sealed class DrainTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    /// <summary>No test lasts as long: what ends a drain here is never its timeout.</summary>
    private const int NoLimit = 86_400;

    /// <summary>Outlasts what comes meanwhile and the grace period after it: a stop that comes too soon cuts the form off.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(7);

    /// <summary>The sample image's longest.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>A Lease and what else there is to do.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private Installation Installation => shared.Installation;

    [Fact]
    public async Task A_replica_deleted_by_hand_runs_until_its_last_request_has_ended()
    {
        await using var second = await StartAsync("by-hand", replicas: 2);
        var (replica, form) = await SendFormAsync(second, "by-hand", Long);
        await using var visitor = Installation.Visit("by-hand", people: 1);

        await DeleteAsync(replica);
        Assert.Equal(replica, (await form).Replica);

        await SeeGone("by-hand", replica);
        await visitor.NoneFailedAsync();
    }

    [Fact]
    public async Task A_proxy_killed_in_the_middle_of_a_drain_is_waited_for_until_its_Lease_ends()
    {
        await using var second = await StartAsync("killed", replicas: 2);
        var (replica, form) = await SendFormAsync(second, "killed", Longest);
        await using var visitor = Installation.Visit("killed", people: 1);
        await DeleteAsync(replica);
        await SeeDraining(replica);

        await second.KillAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => form);

        await SeeGone("killed", replica);
        await visitor.NoneFailedAsync();
    }

    [Fact]
    public async Task A_proxy_frozen_in_the_middle_of_a_drain_is_waited_for_until_its_Lease_ends_and_goes_on_when_it_wakes()
    {
        await using var second = await StartAsync("frozen", replicas: 3);
        var (replica, _) = await SendFormAsync(second, "frozen", Longest);
        await using var here = Installation.Visit("frozen", people: 1);
        await using (var there = second.Visit("frozen", people: 4))
        {
            await DeleteAsync(replica);
            await SeeDraining(replica);
            await second.FreezeAsync();
            var unheard = (await Installation.ReplicasAsync("frozen")).Select(NameOf).First(name => name != replica);
            await DeleteAsync(unheard);

            await SeeGone("frozen", replica);
            await SeeGone("frozen", unheard);
            await Installation.SeeReady("frozen", 3);
            await second.ThawAsync();

            // Its visitors' requests have waited for it, and the first of them meet a table from before.
            var answered = there.Answered;
            await Eventually.True(() => there.Answered > answered + 20);
            await there.NoneFailedAsync();
        }

        // It counts again.
        var (next, form) = await SendFormAsync(second, "frozen", Long);
        await DeleteAsync(next);
        Assert.Equal(next, (await form).Replica);
        await SeeGone("frozen", next);
        await here.NoneFailedAsync();
    }

    [Fact]
    public async Task A_request_that_outlasts_the_drain_timeout_is_cut_off_and_no_other()
    {
        await using var second = await StartAsync("impatient", replicas: 2, drainTimeoutSeconds: 2);
        var (replica, form) = await SendFormAsync(second, "impatient", Longest);
        await using var visitor = Installation.Visit("impatient", people: 1);
        await DeleteAsync(replica);

        var cut = await Assert.ThrowsAsync<HttpRequestException>(() => form);

        Assert.Equal(HttpStatusCode.BadGateway, cut.StatusCode);
        await SeeGone("impatient", replica);
        await visitor.NoneFailedAsync();
    }

    [Fact]
    public async Task Scaling_down_waits_for_requests_in_flight()
    {
        await using var second = await StartAsync("scaled", replicas: 3);
        var forms = await SendFormToEachAsync(second, "scaled", replicas: 3);

        (await Installation.KubectlAsync("scale", "webapp", "scaled", "--replicas", "1")).OrThrow();

        Assert.Equal(3, (await Task.WhenAll(forms)).Select(page => page.Replica).Distinct().Count());
        await Eventually.See(() => Installation.ContainersAsync("scaled"), seen => seen.Count == 1, Limit);
    }

    [Fact]
    public async Task Taking_a_host_out_waits_for_requests_in_flight()
    {
        await using var second = await StartAsync("moved", replicas: 3);
        var host = (await Installation.ContainersAsync("moved"))[0].Host;
        var forms = await SendFormToEachAsync(second, "moved", replicas: 3);

        (await Installation.OrcAsync("hosts", "remove", host, "--timeout", "60s")).OrThrow();
        await Installation.JoinAsync(Installation.Lab.Hosts.Single(one => one.Name == host));

        Assert.Equal(3, (await Task.WhenAll(forms)).Select(page => page.Replica).Distinct().Count());
        await Eventually.See(
            () => Installation.ContainersAsync("moved"), seen => seen.Count == 3 && seen.All(container => container.Host != host), Limit);
    }

    private async Task<SecondProxy> StartAsync(string app, int replicas, int drainTimeoutSeconds = NoLimit)
    {
        // The last lines of the manifest are its route's.
        var manifest = Manifests.Web(app, Installation.Lab.Image("web:v1"), replicas, $"""
                balancing: LeastRequests
              drainTimeoutSeconds: {drainTimeoutSeconds}
            """);
        await Installation.ApplyAsync(manifest.Replace("terminationGracePeriodSeconds: 5", "terminationGracePeriodSeconds: 1", StringComparison.Ordinal));
        await Installation.SeeReady(app, replicas);
        await Eventually.See(() => Visitor.OnceAsync(Installation.Http, app), page => page.Version == "v1");
        return await SecondProxy.StartAsync(Installation);
    }

    /// <returns>The replica that has got it, and its answer.</returns>
    private async Task<(string Replica, Task<Page> Form)> SendFormAsync(SecondProxy through, string app, TimeSpan takes)
    {
        var before = await through.InFlightAsync(app);
        var form = Visitor.SendFormAsync(through.Http, app, takes);
        var now = await Eventually.See(() => through.InFlightAsync(app), seen => seen.Values.Sum() > before.Values.Sum());
        var uid = now.Single(one => one.Value > before.GetValueOrDefault(one.Key)).Key;
        return (NameOf((await Installation.ReplicasAsync(app)).Single(replica => replica["metadata"]!["uid"]!.GetValue<string>() == uid)), form);
    }

    private async Task<IReadOnlyList<Task<Page>>> SendFormToEachAsync(SecondProxy through, string app, int replicas)
    {
        var forms = new Dictionary<string, Task<Page>>();
        for (var i = 0; i < replicas; i++)
        {
            var (replica, form) = await SendFormAsync(through, app, Long);
            forms.Add(replica, form);
        }

        return [.. forms.Values];
    }

    private static string NameOf(JsonNode replica) => replica["metadata"]!["name"]!.GetValue<string>();

    private async Task DeleteAsync(string replica) => (await Installation.KubectlAsync("delete", "replica", replica, "--wait=false")).OrThrow();

    private Task SeeDraining(string replica) => Eventually.See(
        () => Installation.GetAsync("replica", replica), seen => seen["status"]!["phase"]!.GetValue<string>() == ReplicaPhases.Draining);

    private Task SeeGone(string app, string replica) => Eventually.See(
        () => Installation.ContainersAsync(app), seen => seen.All(container => container.Labels[Labels.Replica] != replica), Limit);
}
