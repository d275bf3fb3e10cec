using System.Collections.Concurrent;
using Orchestrator.Api.DockerHosts;
using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>
/// Which hosts have taken replicas for long enough, and do not flap, so that running ones are moved on to them. What this process has not seen for
/// so long it does not take for granted, so a new leader waits too.
/// </summary>
internal sealed class SteadyHosts(TimeProvider time)
{
    /// <summary>
    /// A host that joins, returns or is uncordoned is left alone this long: what it had before is sorted out by then
    /// (<see cref="HostOutages.Return"/> and the proxies' checks), and a host that comes and goes is gone again.
    /// </summary>
    public static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Taking> _taking = new(StringComparer.Ordinal);

    public static bool TakesReplicas(DockerHost host) =>
        HostHealth.IsReady(host) && !host.Spec.IsCordoned && host.Metadata.DeletionTimestamp is null;

    /// <summary>Begins anew with what there is.</summary>
    public void Begin(IEnumerable<DockerHost> hosts)
    {
        _taking.Clear();
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
            var heldBackUntil = host.Status?.Flapping?.Until;
            _taking.AddOrUpdate(name, _ => new(time.GetTimestamp(), heldBackUntil), (_, known) => known with { HeldBackUntil = heldBackUntil });
        }
        else
        {
            _taking.TryRemove(name, out _);
        }
    }

    public bool IsSteady(string name) => _taking.TryGetValue(name, out var taking) && LeftOf(taking) <= TimeSpan.Zero;

    /// <summary>When the next host will be; null when all that take replicas are.</summary>
    public TimeSpan? NextIn() => _taking.Values
        .Select(LeftOf)
        .Where(left => left > TimeSpan.Zero)
        .Select(left => (TimeSpan?)left)
        .Min();

    private TimeSpan LeftOf(Taking taking)
    {
        var settling = SettleTime - time.GetElapsedTime(taking.Since);
        var heldBack = taking.HeldBackUntil - time.GetUtcNow().UtcDateTime;
        return heldBack > settling ? heldBack.Value : settling;
    }

    /// <param name="Since">Timestamp of when the host was first seen to take replicas without a break.</param>
    /// <param name="HeldBackUntil">
    /// While it flaps it is given nothing new. Where all hosts do the scheduler makes an exception, since a replica has to be somewhere; one
    /// that runs is somewhere.
    /// </param>
    private readonly record struct Taking(long Since, DateTime? HeldBackUntil);
}
