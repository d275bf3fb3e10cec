using System.Diagnostics;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>What the control plane adds to the time that containers need, and what it costs the API server.</summary>
public sealed class ConvergenceTests
{
    private const int Replicas = 30;

    [Fact]
    public async Task Thirty_replicas_are_bound_soon_after_the_apply_and_their_burst_is_few_status_writes()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 3);
        await cluster.ApplyAsync("warm-up", Replicas);
        await cluster.WaitForReadyAsync("warm-up", Replicas);

        var watch = new Stopwatch();
        var (created, bound) = (TimeSpan.Zero, TimeSpan.Zero);
        cluster.ReplicaChanged = () =>
        {
            var mine = cluster.Api.Replicas.Items.Values.Where(replica => replica.Spec.AppName == "web").ToList();
            created = created == TimeSpan.Zero && mine.Count == Replicas ? watch.Elapsed : created;
            bound = bound == TimeSpan.Zero && mine.Count(replica => replica.Spec.HostName is not null) == Replicas ? watch.Elapsed : bound;
        };
        var statuses = new HashSet<string>();
        cluster.WebAppChanged = () =>
        {
            if (cluster.Api.WebApps.Get(new(TestCluster.Namespace, "web")) is { Status: not null } app)
            {
                statuses.Add(app.Metadata.ResourceVersion);
            }
        };
        watch.Start();
        await cluster.ApplyAsync("web", Replicas);
        var applied = watch.Elapsed;
        await cluster.WaitForReadyAsync("web", Replicas);
        var ready = watch.Elapsed;

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"apply answered after {applied.TotalMilliseconds:0} ms; all created {created.TotalMilliseconds:0}, bound {bound.TotalMilliseconds:0}, "
            + $"ready (test agent) {ready.TotalMilliseconds:0} ms; {statuses.Count} status writes");

        // A write a pause and one at each end, however slow the machine: never one a replica.
        Assert.InRange(statuses.Count, 1, (int)((ready - applied) / TimeSpan.FromMilliseconds(50)) + 3);
        Assert.NotEqual(TimeSpan.Zero, bound);
    }

    [Fact]
    public async Task An_app_at_rest_is_written_no_more()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 3);
        var before = await cluster.WaitForReadyAsync("web", 3);
        await cluster.StopControllersAsync();
        await cluster.StartControllersAsync();

        // The restarted ones have looked at everything once this new app is complete.
        await cluster.ApplyAsync("other", 1);
        await cluster.WaitForReadyAsync("other", 1);
        Assert.Equal(before.Metadata.ResourceVersion, (await cluster.AppAsync("web")).Metadata.ResourceVersion);
    }
}
