using System.Collections.Concurrent;
using Orchestrator.Api.DockerHosts;
using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>
/// Which hosts have taken replicas for long enough that running ones are moved on to them. What this process has not seen for so long it
/// does not take for granted, so a new leader waits too.
/// </summary>
internal sealed class SteadyHosts(TimeProvider time)
{
    /// <summary>
    /// A host that joins, returns or is uncordoned is left alone this long: what it had before is sorted out by then
    /// (<see cref="HostOutages.Return"/> and the proxies' checks), and a host that comes and goes is gone again.
    /// </summary>
    public static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, long> _since = new(StringComparer.Ordinal);

    public static bool TakesReplicas(DockerHost host) =>
        HostHealth.IsReady(host) && !host.Spec.IsCordoned && host.Metadata.DeletionTimestamp is null;

    /// <summary>Begins anew with what there is.</summary>
    public void Begin(IEnumerable<DockerHost> hosts)
    {
        _since.Clear();
        foreach (var host in hosts)
        {
            See(host.Metadata.Name, host);
        }
    }

    /// <param name="host">Null when it is gone.</param>
    public void See(string name, DockerHost? host)
    {
        if (host is not null && TakesReplicas(host))
        {
            _since.TryAdd(name, time.GetTimestamp());
        }
        else
        {
            _since.TryRemove(name, out _);
        }
    }

    public bool IsSteady(string name) => _since.TryGetValue(name, out var since) && time.GetElapsedTime(since) >= SettleTime;

    /// <summary>When the next host will be; null when all that take replicas are.</summary>
    public TimeSpan? NextIn() => _since.Values
        .Select(since => SettleTime - time.GetElapsedTime(since))
        .Where(left => left > TimeSpan.Zero)
        .Select(left => (TimeSpan?)left)
        .Min();
}
