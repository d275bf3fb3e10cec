using System.Globalization;
using Orchestrator.Api;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>What breaks by hand is whole again, and what is not ours is left alone.</summary>
public sealed class HealingTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    [Fact]
    public async Task A_container_removed_by_hand_is_made_again_while_requests_go_on()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("web", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("web", 3);
        var victim = (await installation.ContainersAsync("web"))[0];
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Version == "v1");

        await using var visitor = installation.Visit("web");
        await installation.EngineOf(victim).RemoveAsync(victim.Id);
        await Eventually.See(
            () => installation.ContainersAsync("web"),
            seen => seen.Count == 3 && seen.All(container => container.Id != victim.Id && container.State == "running"));
        await installation.SeeReady("web", 3);

        await visitor.NoneFailedAsync();
    }

    [Fact]
    public async Task A_killed_process_is_restarted_in_its_container_and_counted()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("site", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("site", 3);
        var victim = (await installation.ContainersAsync("site"))[0];
        var before = await installation.EngineOf(victim).InspectAsync(victim.Id);
        var pid = before["State"]!["Pid"]!.GetValue<int>();

        (await Command.RunAsync("kill", ["-KILL", pid.ToString(CultureInfo.InvariantCulture)])).OrThrow();

        await Eventually.See(
            () => installation.EngineOf(victim).InspectAsync(victim.Id),
            seen => seen["State"]!["Running"]!.GetValue<bool>() && seen["State"]!["Pid"]!.GetValue<int>() is not 0 and var now && now != pid);
        await Eventually.See(
            () => installation.GetAsync("replica", victim.Labels[Labels.Replica]),
            seen => seen["status"]!["restarts"]?.GetValue<int>() == 1 && seen["status"]!["ready"]!.GetValue<bool>());
        await installation.SeeReady("site", 3);
    }

    [Fact]
    public async Task A_control_plane_that_slept_for_half_a_minute_replaces_nothing()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("inn", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("inn", 3);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "inn"), page => page.Version == "v1");
        var before = await Containers();

        await using var visitor = installation.Visit("inn");
        await installation.SleepAsync(TimeSpan.FromSeconds(30));

        // It is awake once what is asked for now has come, and has looked at every host by then.
        await installation.ApplyAsync(Manifests.Web("guest", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("guest", 3);
        await installation.SeeReady("inn", 3);
        Assert.Equal(before, await Containers());
        Assert.DoesNotContain("ReplicasLost", (await installation.KubectlAsync("get", "events")).OrThrow().Output, StringComparison.Ordinal);
        await visitor.NoneFailedAsync();

        async Task<HashSet<string>> Containers() => [.. (await installation.ContainersAsync("inn")).Select(container => container.Id)];
    }

    [Fact]
    public async Task Replicas_that_all_answer_late_at_once_are_asked_all_the_same()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("crowded", installation.Lab.Image("web:v1"), replicas: 2));
        await installation.SeeReady("crowded", 2);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "crowded"), page => page.Version == "v1");
        await SignalAllAsync("STOP");
        await Eventually.See(
            () => installation.ReplicasAsync("crowded"), seen => seen.All(replica => replica["status"]!["ready"]?.GetValue<bool>() is not true));
        await Eventually.True(() => File.ReadAllText(Path.Combine(installation.DataFolder, "proxy.log"))
            .Contains("No replica of app default/crowded is ready", StringComparison.Ordinal));

        // It waits as long as they do.
        var visit = Visitor.OnceAsync(installation.Http, "crowded");
        await SignalAllAsync("CONT");

        Assert.Equal("v1", (await visit).Version);
        await installation.SeeReady("crowded", 2);

        // Those who take connections are children of the container's first process.
        async Task SignalAllAsync(string signal)
        {
            foreach (var container in await installation.ContainersAsync("crowded"))
            {
                var pid = (await installation.EngineOf(container).InspectAsync(container.Id))["State"]!["Pid"]!.GetValue<int>();
                (await Command.RunAsync("pkill", [$"-{signal}", "-P", $"{pid}"])).OrThrow();
            }
        }
    }

    [Fact]
    public async Task A_container_of_somebody_else_is_never_touched()
    {
        var installation = shared.Installation;
        var engine = installation.Engines[0];
        var image = installation.Lab.Image("web:v1");

        // Not only one without labels: one with all of ours, but of another installation.
        var plain = await engine.RunAsync("somebody-elses", image);
        var theirs = await engine.RunAsync("orc-default-web-other", image, new Dictionary<string, string>
        {
            [Labels.Instance] = "another-installation",
            [Labels.App] = "shop",
            [Labels.Replica] = "web-other",
            [Labels.ReplicaUid] = "0",
            [Labels.Namespace] = "default",
        });
        try
        {
            await installation.ApplyAsync(Manifests.Web("shop", image, replicas: 6));
            await installation.SeeReady("shop", 6);
            await installation.KillAsync();
            await installation.ServeAsync();
            (await installation.KubectlAsync("delete", "webapp", "shop", "--timeout", "60s")).OrThrow();

            Assert.All(
                (await engine.ContainersAsync()).Where(container => container.Id == plain || container.Id == theirs),
                container => Assert.Equal("running", container.State));
            Assert.Equal(2, (await engine.ContainersAsync()).Count(container => container.Id == plain || container.Id == theirs));
        }
        finally
        {
            await engine.RemoveAsync(plain);
            await engine.RemoveAsync(theirs);
        }
    }
}
