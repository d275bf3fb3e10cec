using System.Globalization;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;

namespace Orchestrator.HostAgent.Status;

/// <summary>
/// How long a host that fails again and again is given nothing new when it is back. Known by its status alone, and written together with its
/// readiness: no restart forgets it, and there is no moment at which the host is ready and not yet held back. Pure.
/// </summary>
internal static class FlapBackoff
{
    /// <summary>After the second failure; twice as long after each that follows. After the first there is no wait: anything may fail once.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(10);

    /// <summary>Long enough that a host which fails every minute is left alone, short enough that a mended one is not missed.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>Ready for so long, a host has failed for the first time when it fails again.</summary>
    public static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(10);

    /// <param name="before">What was last written, with its Ready condition.</param>
    public static HostFlapping? Next(DockerHostStatus? before, bool isReady, DateTimeOffset now)
    {
        if (Conditions.Find(before?.Conditions, ConditionTypes.Ready) is not { } ready)
        {
            return null;
        }

        var wasReady = ready.Status == Conditions.True;
        var known = wasReady && now.UtcDateTime - ready.LastTransitionTime >= Forgotten ? null : before!.Flapping;
        return (wasReady, isReady) switch
        {
            (true, false) => new() { Count = (known?.Count ?? 0) + 1, FailedAt = WholeSeconds(now) },
            (false, true) when known is not null && WaitAfter(known.Count) is var wait && wait > TimeSpan.Zero =>
                new() { Count = known.Count, FailedAt = known.FailedAt, Until = WholeSeconds(now + wait) },
            _ => known,
        };
    }

    /// <summary>What is to be told of it; null unless the host begins to be held back with this status.</summary>
    public static string? Told(HostFlapping? before, HostFlapping? now) =>
        now?.Until is { } until && until != before?.Until
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"has stopped being ready {now.Count} times; it is given no new replicas until {until:yyyy-MM-ddTHH:mm:ssZ}, unless all hosts that are ready flap")
            : null;

    public static TimeSpan WaitAfter(int failures) =>
        failures < 2 ? TimeSpan.Zero
        : failures >= 2 + 30 ? Longest
        : TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, First.TotalSeconds * (1L << (failures - 2))));

    // The precision of Kubernetes' Time on the wire: what is read back is what was written.
    private static DateTime WholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds()).UtcDateTime;
}
