using Orchestrator.Api.Replicas;

namespace Orchestrator.HostAgent.Containers;

/// <summary>
/// The runs of a replica's containers as far as they were seen: how often it restarted, how it last ended, whether it keeps
/// ending. The engine's own counter is zeroed by each start through the API, so the count is kept here and in the status. The engine's
/// clock may jump at any time: its times name runs and ends, and are compared only where ours bounds what comes of it.
/// </summary>
/// <param name="ContainerId">The container seen last.</param>
/// <param name="Run">Start of the run seen last, which names it.</param>
/// <param name="RunSeenAt">When it was first seen, by our clock.</param>
/// <param name="RunNotBefore">It had not begun by then, by our clock; null when that is not known, since an earlier agent saw it first.</param>
/// <param name="LookedAt">When the container was last looked at, by our clock; null before the first look.</param>
/// <param name="EngineRestarts">The engine's count of completed restarts when it was seen; null before the first look.</param>
/// <param name="Ended">End of the last run whose end was taken in.</param>
/// <param name="EndedRun">Start of the run whose end that was.</param>
/// <param name="EndSeenAt">The same by our clock: the engine's may be wrong.</param>
/// <param name="ShortRuns">Runs in a row, up to the last, that were shorter than <see cref="ShortRun"/>.</param>
public sealed record RunHistory(
    string? ContainerId,
    DateTimeOffset? Run,
    DateTimeOffset? RunSeenAt,
    DateTimeOffset? RunNotBefore,
    DateTimeOffset? LookedAt,
    long? EngineRestarts,
    int Restarts,
    Termination? LastTermination,
    DateTimeOffset? Ended,
    DateTimeOffset? EndedRun,
    DateTimeOffset? EndSeenAt,
    int ShortRuns)
{
    /// <summary>The engine's own measure: a run of 10 s resets its back-off.</summary>
    public static readonly TimeSpan ShortRun = TimeSpan.FromSeconds(10);

    /// <summary>How many short runs in a row make a crash loop. Two are healed by the engine within a second.</summary>
    public const int CrashLoopAfter = 3;

    /// <summary>Kubernetes' CrashLoopBackOff.</summary>
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(300);

    public bool IsCrashLoop => ShortRuns >= CrashLoopAfter;

    /// <summary>The wait after the last end, in a crash loop.</summary>
    public TimeSpan Backoff => !IsCrashLoop ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(FirstBackoff.TotalSeconds * Math.Pow(2, Math.Min(ShortRuns - CrashLoopAfter, 10)), LongestBackoff.TotalSeconds));

    /// <summary>When the run, if it lasts until then, counts as well again.</summary>
    public DateTimeOffset? StableAt => RunSeenAt + StableAfter;

    // As long as the last wait was, so that a loop of longer runs is one too.
    private TimeSpan StableAfter => Backoff > ShortRun ? Backoff : ShortRun;

    /// <summary>What is known before the engine was asked: what an earlier agent wrote.</summary>
    public static RunHistory From(ReplicaStatus? status)
    {
        var (started, ended) = (Moment(status?.StartedAt), Moment(status?.LastTermination?.FinishedAt));
        return new(
            status?.ContainerId,
            started,
            RunSeenAt: null,
            RunNotBefore: null,
            LookedAt: null,
            EngineRestarts: null,
            status?.Restarts ?? 0,
            status?.LastTermination,
            ended,
            EndedRun: ended >= started ? started : null,
            EndSeenAt: null,
            ShortRuns: 0);
    }

    /// <summary>The history after the container was looked at.</summary>
    /// <param name="killReason">Why we ended it ourselves; null if we did not.</param>
    /// <param name="reported">Of its last <c>die</c> event, for when it runs again already and no longer tells.</param>
    public RunHistory Observe(ContainerSnapshot seen, string? killReason, ReportedEnd? reported, DateTimeOffset now)
    {
        // The engine counts a restart when a run ends, we when the next begins.
        var engineRestarts = seen.State == ContainerState.Restarting ? Math.Max(0, seen.RestartCount - 1) : seen.RestartCount;
        var next = seen.StartedAt is { } run && run != Run ? NextRun(seen, run, engineRestarts, killReason, reported, now) : this;
        next = next with { ContainerId = seen.Id, EngineRestarts = engineRestarts, RunSeenAt = next.Run is null ? null : next.RunSeenAt ?? now };
        if (seen is { HasEnded: true, StartedAt: { } began, FinishedAt: { } ended } && ended != next.Ended)
        {
            next = next.End(next.Lasted(began, ended, now), ended, seen.ExitCode, killReason ?? ReasonOf(seen.ExitCode, seen.OutOfMemory), now);
        }

        next = next with { LookedAt = now };

        // A crash loop that an earlier agent took over: nobody else sets the policy to no.
        return EngineRestarts is null && !seen.RestartsAlways && seen.State != ContainerState.Created && !next.IsCrashLoop
            ? next with { ShortRuns = CrashLoopAfter, EndSeenAt = next.EndSeenAt ?? now }
            : next;
    }

    /// <summary>It has stayed up: the next crash is a first one again.</summary>
    public RunHistory Stable() => this with { ShortRuns = 0 };

    /// <summary>With the last line that the run which last ended has written.</summary>
    public RunHistory WithLastWords(string? line) => LastTermination is not { } last ? this : this with
    {
        LastTermination = new Termination { ExitCode = last.ExitCode, Reason = last.Reason, FinishedAt = last.FinishedAt, Message = line },
    };

    private RunHistory NextRun(
        ContainerSnapshot seen, DateTimeOffset run, long engineRestarts, string? killReason, ReportedEnd? reported, DateTimeOffset now)
    {
        if (Run is not { } before)
        {
            return this with { Run = run, RunSeenAt = now, RunNotBefore = LookedAt, Restarts = Math.Max(Restarts, (int)engineRestarts) };
        }

        // Of another container, or after a start through the API, the engine's count begins anew.
        var sameContainer = seen.Id == ContainerId;
        var added = !sameContainer ? 1
            : EngineRestarts is not { } known ? Math.Max(1, (int)engineRestarts - Restarts)
            : Math.Max(1, (int)(engineRestarts - known));
        var next = this;
        var unseenEnds = added - (EndedRun == before ? 1 : 0);

        // Of one that has ended since, the engine tells that end, which is the next run's: the one before it ended as that began.
        var lastEnd = seen.HasEnded ? run : seen.FinishedAt;
        if (sameContainer && unseenEnds > 0 && lastEnd is { } ended && ended != Ended)
        {
            // The engine tells of the last end only. Those before it lie between two looks: they were short. An event from before it is of
            // one of them.
            var exitCode = reported?.At >= ended ? reported.ExitCode : (long?)null;
            next = next.End(
                unseenEnds == 1 ? Lasted(before, ended, now) : TimeSpan.Zero, ended, exitCode, killReason ?? ReasonOf(exitCode, outOfMemory: false), now);
            next = next with { ShortRuns = next.ShortRuns + unseenEnds - 1 };
        }

        return next with { Run = run, RunSeenAt = now, RunNotBefore = LookedAt, Restarts = Restarts + added };
    }

    /// <summary>
    /// How long the last run seen has lasted: by the engine's clock, which knows of what we did not see. One that was set back meanwhile is no
    /// measure at all, and one that was set forward is refuted by ours where we know that the run had not begun.
    /// </summary>
    private TimeSpan Lasted(DateTimeOffset began, DateTimeOffset ended, DateTimeOffset now)
    {
        var byEngine = ended - began;
        var atMost = now - RunNotBefore;
        return byEngine < TimeSpan.Zero ? now - (RunSeenAt ?? now)
            : byEngine > atMost ? atMost.Value
            : byEngine;
    }

    private RunHistory End(TimeSpan lasted, DateTimeOffset ended, long? exitCode, string reason, DateTimeOffset now) => this with
    {
        Ended = ended,
        EndedRun = Run,
        EndSeenAt = now,
        ShortRuns = lasted < ShortRun || (IsCrashLoop && lasted < StableAfter) ? ShortRuns + 1 : 0,
        LastTermination = new Termination { ExitCode = exitCode, Reason = reason, FinishedAt = ended.UtcDateTime },
    };

    private static DateTimeOffset? Moment(DateTime? written) =>
        written is { } time ? new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)) : null;

    private static string ReasonOf(long? exitCode, bool outOfMemory) => (exitCode, outOfMemory) switch
    {
        (_, true) => "OOMKilled",
        (null, _) => "Unknown",
        (0, _) => "Completed",
        _ => "Error",
    };
}
