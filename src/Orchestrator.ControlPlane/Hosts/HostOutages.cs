using System.Collections.Concurrent;
using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Hosts;

/// <summary>What an outage of a host means for the replicas of one app on it.</summary>
/// <param name="IsLost">They count for nothing until they are back: others are to run in their place.</param>
/// <param name="IsToBeLeft">They serve, and are to be replaced: the new ones first.</param>
/// <param name="IsInDoubt">They would be lost, were it not that most hosts fell silent at once.</param>
/// <param name="RecheckAfter">When this changes by time alone; null when it does not.</param>
internal readonly record struct HostOutage(bool IsLost, bool IsToBeLeft, bool IsInDoubt, TimeSpan? RecheckAfter);

/// <summary>
/// The clocks of outages (docs/design/outages.md). Doubt counts against us: what was written before this process led is as old as
/// this process, and when most hosts fall silent at once it is rather our own network that has gone.
/// </summary>
internal sealed class HostOutages(Func<IEnumerable<DockerHost>> hosts)
{
    /// <summary>Hosts that fell silent within this time of each other fell silent at once.</summary>
    public static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(30);

    /// <summary>For so long most hosts may be silent before that is believed.</summary>
    public static readonly TimeSpan LongestDoubt = TimeSpan.FromMinutes(5);

    /// <summary>A host that is back gets this long to show which of its replicas still serve.</summary>
    public static readonly TimeSpan Return = TimeSpan.FromSeconds(10);

    /// <summary>
    /// So long after a silence has become known nothing is lost yet. Hosts that are cut off at the same moment are known to be silent up to
    /// 1.5 s apart, by where their pings stood: the first to be known is not to be judged while it still looks like the only one.
    /// </summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan WhileInDoubt = TimeSpan.FromSeconds(1);

    /// <summary>When a silence became known here, by the host's name and since when it is silent.</summary>
    private readonly ConcurrentDictionary<(string Host, DateTimeOffset Since), DateTimeOffset> _known = new();

    /// <summary>Since when this process has led.</summary>
    public DateTimeOffset LedSince { get; set; }

    /// <param name="now">By the wall clock, as the conditions' times are.</param>
    public HostOutage Of(DockerHost host, WebApp app, DateTimeOffset now)
    {
        var tolerations = app.Spec.Placement?.Tolerations;
        if (HostHealth.SilentSince(host) is { } silentSince)
        {
            if (Left(silentSince, HostTaints.Unreachable, host.Spec.UnreachableAfter, tolerations, now) is not { } left)
            {
                return default;
            }

            var settling = KnownSince(host.Metadata.Name, silentSince, now) + Settling - now;
            left = left > settling ? left : settling;
            return left > TimeSpan.Zero ? new HostOutage { RecheckAfter = left }
                : IsInDoubt(host, silentSince, now) ? new HostOutage { IsInDoubt = true, RecheckAfter = WhileInDoubt }
                : new HostOutage { IsLost = true };
        }

        if (HostHealth.NotReadySince(host) is { } downSince && HostHealth.AliveSince(host) is not null)
        {
            return Left(downSince, HostTaints.EngineDown, host.Spec.EngineDownAfter, tolerations, now) is not { } left ? default
                : left > TimeSpan.Zero ? new HostOutage { RecheckAfter = left }
                : new HostOutage { IsToBeLeft = true };
        }

        return default;
    }

    /// <summary>How long a host that is back has left to show that a replica it had before still serves; null when it has had its time.</summary>
    public static TimeSpan? ReturnOf(DockerHost host, DateTime? replicaCreated, DateTimeOffset now) =>
        HostHealth.AliveSince(host) is { } since && replicaCreated < since.UtcDateTime && since + Return > now ? since + Return - now : null;

    /// <summary>Whether the host is one of most hosts that fell silent at once.</summary>
    public bool IsInDoubt(DockerHost host, DateTimeOffset silentSince, DateTimeOffset now)
    {
        var (all, answering, together) = (0, 0, 0);
        foreach (var one in hosts().Where(static one => one.Metadata.DeletionTimestamp is null))
        {
            all++;
            if (HostHealth.SilentSince(one) is { } since)
            {
                together += (since - silentSince).Duration() <= AtOnce ? 1 : 0;
            }
            else
            {
                answering++;
            }
        }

        return together * 2 > all && (answering == 0 || now - Later(silentSince) < LongestDoubt);
    }

    private DateTimeOffset KnownSince(string host, DateTimeOffset silentSince, DateTimeOffset now)
    {
        if (!_known.TryGetValue((host, silentSince), out var known))
        {
            // Of what is over nothing is kept.
            var silent = hosts().Select(one => (one.Metadata.Name, HostHealth.SilentSince(one) ?? default)).ToHashSet();
            foreach (var key in _known.Keys.Where(key => !silent.Contains(key)))
            {
                _known.TryRemove(key, out _);
            }

            known = _known.GetOrAdd((host, silentSince), now);
        }

        // A clock that was set back holds nothing up.
        return known <= now ? known : _known[(host, silentSince)] = now;
    }

    /// <returns>Null: for ever.</returns>
    private TimeSpan? Left(DateTimeOffset since, string taint, TimeSpan limit, IEnumerable<V1Toleration>? tolerations, DateTimeOffset now)
    {
        var tolerated = Taints.ToleratedFor(new V1Taint { Key = taint, Effect = Taints.NoExecute }, tolerations);
        return tolerated == TimeSpan.MaxValue ? null : Later(since) + (tolerated ?? limit) - now;
    }

    private DateTimeOffset Later(DateTimeOffset since) => since > LedSince ? since : LedSince;
}
