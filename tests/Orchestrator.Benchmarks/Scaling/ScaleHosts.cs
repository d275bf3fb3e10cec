using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Benchmarks.Scaling;

/// <summary>Simulated engines as DockerHosts, each with an address of its own, as machines would have.</summary>
internal static class ScaleHosts
{
    /// <summary>Requests at a time.</summary>
    private const int AtATime = 16;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <param name="host">From 0. All of 127.0.0.0/8 is this machine, on Linux.</param>
    public static string AddressOf(int host) => $"127.1.{host / 250}.{(host % 250) + 1}";

    /// <summary>Returns when all are ready.</summary>
    public static async Task JoinAsync(ResourceClient<DockerHost> hosts, EngineFarm farm, CancellationToken cancellationToken)
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, farm.Engines),
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken },
            async (host, token) => await hosts.CreateAsync(
                new DockerHost
                {
                    Metadata = new() { Name = $"host-{host:00000}" },
                    Spec = new() { Endpoint = $"unix://{farm.SocketOf(host)}", PublishAddress = AddressOf(host) },
                },
                token));
        while ((await hosts.ListAsync(null, null, cancellationToken)).Items.Count(host => Conditions.IsTrue(host.Status?.Conditions, ConditionTypes.Ready)) < farm.Engines)
        {
            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }
}
