using System.Collections.ObjectModel;
using Orchestrator.Runtime.Usage;

namespace Orchestrator.Benchmarks.Scheduling;

/// <summary>No app of the benchmarks is scaled by what its replicas use.</summary>
internal sealed class NoUsage : IUsageSource
{
    public Task<IReadOnlyDictionary<string, ResourceUsage>> ReadAsync(string host, IReadOnlyCollection<string> containers, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, ResourceUsage>>(ReadOnlyDictionary<string, ResourceUsage>.Empty);
}
