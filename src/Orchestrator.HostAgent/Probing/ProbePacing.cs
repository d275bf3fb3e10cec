namespace Orchestrator.HostAgent.Probing;

/// <summary>When a probe looks next. Pure.</summary>
public static class ProbePacing
{
    private static readonly TimeSpan Eager = TimeSpan.FromMilliseconds(100);

    /// <summary>An exec costs the engine 70 ms of processor time each, so it is not repeated ten times a second.</summary>
    private static readonly TimeSpan EagerExec = TimeSpan.FromMilliseconds(500);

    /// <summary>Until its first pass a replica serves nobody: readiness and startup are eager, 100, 100, 200, 400 ms …, up to its period.</summary>
    /// <param name="failures">Failures so far, at least 1.</param>
    public static TimeSpan UntilFirstPass(int failures, ProbeSettings settings)
    {
        var first = settings.Handler is ProbeHandler.Exec ? EagerExec : Eager;
        var delay = first * Math.Pow(2, Math.Clamp(failures - 2, 0, 20));
        return delay < settings.Period ? delay : settings.Period;
    }

    /// <summary>
    /// To the probe's next turn. Each replica has its own place within the period, so that replicas that started together are
    /// not probed together; the same replica has the same place in every process.
    /// </summary>
    public static TimeSpan ToNextTurn(DateTimeOffset now, TimeSpan period, string replicaUid)
    {
        var place = StableHash(replicaUid) % (ulong)period.Ticks;
        var into = (ulong)(now.UtcTicks % period.Ticks);
        var wait = place > into ? place - into : place + (ulong)period.Ticks - into;
        return TimeSpan.FromTicks((long)wait);
    }

    /// <summary>
    /// From the end of a look to the next one: the first turn after the look began. A look that took longer than that is followed
    /// by the next at once, as by the kubelet's; one that came a moment early by the wall clock does not have its turn twice.
    /// </summary>
    public static TimeSpan AfterLook(DateTimeOffset now, TimeSpan took, TimeSpan period, string replicaUid)
    {
        var early = period / 10;
        var wait = early - took + ToNextTurn(now - took + early, period, replicaUid);
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    // FNV-1a; string.GetHashCode differs between processes.
    private static ulong StableHash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in text)
        {
            hash = unchecked((hash ^ character) * 1099511628211UL);
        }

        return hash;
    }
}
