using System.Collections.Concurrent;
using Orchestrator.Runtime.Usage;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>All containers of a host use the same.</summary>
internal sealed class TestUsage : IUsageSource
{
    private readonly ConcurrentDictionary<string, ResourceUsage> _hosts = new();
    private int _asked;

    /// <summary>How often a host was asked.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>From now on; hosts that were never told of are out of reach.</summary>
    public void Set(string host, decimal cores, long bytes) => _hosts[host] = new(cores, bytes, TimeSpan.FromMilliseconds(1));

    public Task<IReadOnlyDictionary<string, ResourceUsage>> ReadAsync(string host, IReadOnlyCollection<string> containers, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _asked);
        return Task.FromResult<IReadOnlyDictionary<string, ResourceUsage>>(
            _hosts.TryGetValue(host, out var usage) ? containers.ToDictionary(id => id, _ => usage) : []);
    }
}
