using System.Collections.Concurrent;
using k8s;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Usage;

/// <summary>
/// Reads what containers use, from their engines, with the rights of whoever reads the engine's Secret. Who keeps one of these for
/// long and asks often pays for what is new only (<see cref="UsageSampler"/>).
/// </summary>
public sealed class HostUsage(IKubernetes kubernetes, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, UsageSampler> _samplers = new();

    /// <param name="containers">Ids of containers on the host.</param>
    /// <returns>One for each of them.</returns>
    /// <exception cref="EngineException">The engine cannot be reached, or no longer; the sentence says why.</exception>
    public async Task<IReadOnlyDictionary<string, ContainerUsage>> ReadAsync(
        DockerHost host, IReadOnlyCollection<string> containers, CancellationToken cancellationToken)
    {
        var pipeline = new EnginePipeline(host.Metadata.Name, time);
        using var engine = await new EngineConnector(kubernetes, time).ConnectAsync(host, pipeline, cancellationToken);
        return await _samplers.GetOrAdd(host.Metadata.Uid ?? host.Metadata.Name, _ => new UsageSampler(time)).ReadAsync(engine, containers, cancellationToken);
    }

    public void Dispose()
    {
        foreach (var sampler in _samplers.Values)
        {
            sampler.Dispose();
        }
    }
}
