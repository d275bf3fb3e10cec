using Orchestrator.Api;
using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.EndToEnd.Tests.Lab;

namespace Orchestrator.EndToEnd.Tests;

/// <summary><c>kill -9</c> of the control plane at any moment: the world converges, nothing is doubled, lost or restarted.</summary>
public sealed class CrashTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    private const int Rounds = 20;
    private const int Seed = 20260101;

    [Fact]
    public async Task The_control_plane_is_killed_twenty_times_in_create_scale_and_delete()
    {
        var installation = shared.Installation;
        var image = installation.Lab.Image("web:v1");
        await installation.ApplyAsync(Manifests.Web("steady", image, replicas: 3));
        await installation.SeeReady("steady", 3);
        var steady = await StartsOf(installation, "steady");
        var random = new Random(Seed);
        var wanted = 0;

        for (var round = 0; round < Rounds; round++)
        {
            // Whatever the server acknowledges must hold; a request that the kill cut off may or may not.
            wanted = wanted == 0 ? random.Next(1, 7) : random.Next(0, 7);
            if (wanted == 0)
            {
                (await installation.KubectlAsync("delete", "webapp", "web", "--wait=false")).OrThrow();
            }
            else
            {
                await installation.ApplyAsync(Manifests.Web("web", image, wanted));
            }

            await Pace.PassAsync(TimeSpan.FromMilliseconds(random.Next(0, 900)));
            await installation.KillAsync();
            Assert.Equal(3, await Answering(installation));
            await installation.ServeAsync();
            await Converges(installation, wanted);
        }

        Assert.Equal(steady, await StartsOf(installation, "steady"));
    }

    [Fact]
    public async Task Sites_answer_while_the_control_plane_is_down_and_the_proxy_is_found_again()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("site", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("site", 3);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "site"), page => page.Version == "v1");
        var proxyBefore = await ProxyStartTime(installation);

        await using (var visitor = installation.Visit("site"))
        {
            await installation.KillAsync();
            await Eventually.True(() => visitor.Answered > 50);
            await installation.ServeAsync();
            var seen = visitor.Answered;
            await Eventually.True(() => visitor.Answered > seen + 50);
            await visitor.NoneFailedAsync();
        }

        Assert.Equal(proxyBefore, await ProxyStartTime(installation));
    }

    [Fact]
    public async Task An_orderly_stop_ends_with_zero_and_leaves_containers_running()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("shop", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("shop", 3);
        var before = await StartsOf(installation, "shop");

        Assert.Equal(0, await installation.StopAsync());
        Assert.Equal(before, await StartsOf(installation, "shop"));
        await installation.ServeAsync();
        await installation.SeeReady("shop", 3);

        Assert.Equal(before, await StartsOf(installation, "shop"));
    }

    private static async Task Converges(Installation installation, int wanted)
    {
        if (wanted > 0)
        {
            await installation.SeeReady("web", wanted);
        }
        else
        {
            await Eventually.See(() => installation.KubectlAsync("get", "webapp", "web"), seen => seen.ExitCode != 0, TimeSpan.FromSeconds(60));
        }

        var containers = await Eventually.See(() => installation.ContainersAsync("web"), seen => seen.Count == wanted, TimeSpan.FromSeconds(60));
        Assert.Equal(wanted, containers.Select(container => container.Labels[Labels.ReplicaUid]).Distinct().Count());
    }

    /// <summary>Containers of an app with the moment each was started: equal before and after means none was restarted.</summary>
    private static async Task<IReadOnlyList<string>> StartsOf(Installation installation, string app)
    {
        var starts = new List<string>();
        foreach (Container container in await installation.ContainersAsync(app))
        {
            var state = (await installation.EngineOf(container).InspectAsync(container.Id))["State"]!;
            starts.Add($"{container.Id} {state["StartedAt"]}");
        }

        starts.Sort(StringComparer.Ordinal);
        return starts;
    }

    private static async Task<int> Answering(Installation installation)
    {
        var answered = new HashSet<string>();
        for (var request = 0; request < 60 && answered.Count < 3; request++)
        {
            answered.Add((await Visitor.OnceAsync(installation.Http, "steady")).Replica);
        }

        return answered.Count;
    }

    private static async Task<string> ProxyStartTime(Installation installation)
    {
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(installation.ProxyMetrics);
        return metrics.Split('\n').Single(line => line.StartsWith("process_start_time_seconds ", StringComparison.Ordinal));
    }
}
