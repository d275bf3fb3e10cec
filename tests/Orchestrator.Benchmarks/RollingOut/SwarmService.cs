using System.Diagnostics;
using System.Globalization;
using Orchestrator.Benchmarks.Engines;

namespace Orchestrator.Benchmarks.RollingOut;

/// <summary>A service of Docker Swarm that is updated, the new tasks first.</summary>
internal sealed class SwarmService(Update update, SwarmCluster cluster) : IAsyncDisposable
{
    private const string Service = "bench-rollout";

    public async Task StartAsync(string image, CancellationToken cancellationToken)
    {
        await cluster.RequireAsync(
            "service", "create", "--detach", "--name", Service, "--replicas", Text(update.Replicas), "--stop-grace-period", "1s",
            "--update-order", "start-first", "--update-parallelism", Text(update.AtOnce), "--update-delay", "0s", image);
        await update.UntilOverAsync(SwarmCluster.LabelOf(Service), image, Stopwatch.StartNew(), cancellationToken);
    }

    /// <summary>From the command's start until no old container is left.</summary>
    public async Task<TimeSpan> RoundAsync(string image, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        await cluster.RequireAsync("service", "update", "--detach", "--image", image, Service);
        return await update.UntilOverAsync(SwarmCluster.LabelOf(Service), image, watch, cancellationToken);
    }

    public async ValueTask DisposeAsync() => await cluster.RemoveAsync(Service, Update.Limit);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
