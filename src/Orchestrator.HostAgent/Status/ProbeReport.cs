using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Probing;

namespace Orchestrator.HostAgent.Status;

/// <summary>
/// What the status says of a replica's probes. It does not follow each look, or the API server would be written to at each: a
/// change of a result is told at once; a row of failures that begins, has doubled, ends or says something else, once in
/// <see cref="Spacing"/>.
/// </summary>
/// <param name="written">The status that an earlier agent wrote.</param>
internal sealed class ProbeReport(ReplicaStatus? written)
{
    public static readonly TimeSpan Spacing = TimeSpan.FromSeconds(5);

    private (string? ContainerId, DateTime? StartedAt) _run = (written?.ContainerId, written?.StartedAt);
    private DateTimeOffset? _toldAt;

    public ProbesStatus? Status { get; private set; } = written?.Probes;

    /// <summary>Takes in what the probes have found by now.</summary>
    /// <param name="probes">Null while there is no run to probe.</param>
    /// <param name="container">Whose probes they are.</param>
    /// <param name="now">For the spacing.</param>
    /// <param name="wall">What is written as the time of a failure.</param>
    /// <returns>When to come again, because something is not told yet; null if all is.</returns>
    public DateTimeOffset? Take(ReplicaProbes? probes, ContainerSnapshot? container, DateTimeOffset now, DateTimeOffset wall) =>
        Take(probes?.Startup, probes?.Readiness, probes?.Liveness, probes is null ? null : container, now, wall);

    /// <summary>The same of the verdicts alone.</summary>
    internal DateTimeOffset? Take(
        ProbeVerdict? startup, ProbeVerdict? readiness, ProbeVerdict? liveness, ContainerSnapshot? container, DateTimeOffset now, DateTimeOffset wall)
    {
        if (container is null)
        {
            // Nothing is probed: what failed last is still worth knowing.
            Status = Status is null ? null : new ProbesStatus
            {
                Startup = Unprobed(Status.Startup), Readiness = Unprobed(Status.Readiness), Liveness = Unprobed(Status.Liveness),
            };
            return null;
        }

        var run = ((string?)container.Id, container.StartedAt?.UtcDateTime);
        var sameRun = run == _run;
        var second = DateTimeOffset.FromUnixTimeSeconds(wall.ToUnixTimeSeconds()).UtcDateTime;
        var next = new ProbesStatus
        {
            Startup = Next(startup, Status?.Startup, sameRun, second),
            Readiness = Next(readiness, Status?.Readiness, sameRun, second),
            Liveness = Next(liveness, Status?.Liveness, sameRun, second),
        };
        var urgent = !sameRun || Any(next, (told, found) => told?.Result != found?.Result);
        if (!urgent && !Any(next, IsNews))
        {
            return null;
        }

        if (!urgent && _toldAt + Spacing > now)
        {
            return _toldAt + Spacing;
        }

        (_run, _toldAt, Status) = (run, now, next);
        return null;
    }

    private bool Any(ProbesStatus next, Func<ProbeStatus?, ProbeStatus?, bool> differs) =>
        differs(Status?.Startup, next.Startup) || differs(Status?.Readiness, next.Readiness) || differs(Status?.Liveness, next.Liveness);

    private static ProbeStatus? Unprobed(ProbeStatus? told) =>
        told is null ? null : new ProbeStatus { Result = ProbeResults.Unknown, LastFailure = told.LastFailure };

    private static ProbeStatus? Next(ProbeVerdict? verdict, ProbeStatus? told, bool sameRun, DateTime second)
    {
        if (verdict is null)
        {
            return null;
        }

        if (verdict.Looks == 0)
        {
            // Of this very run an earlier agent knew more: a restart of ours changes nothing.
            return verdict.EverPassed ? new ProbeStatus { Result = ProbeResults.Passing, LastFailure = told?.LastFailure }
                : sameRun && told is not null ? told
                : new ProbeStatus { Result = ProbeResults.Unknown, LastFailure = told?.LastFailure };
        }

        return new ProbeStatus
        {
            Result = verdict.Passing ? ProbeResults.Passing : verdict.IsSettled ? ProbeResults.Failing : ProbeResults.Unknown,
            Failures = verdict.IsSettled ? verdict.Failures : 0,
            LastFailure = verdict is { IsSettled: true, Message: { } message } ? new ProbeFailure { At = second, Message = message } : told?.LastFailure,
        };
    }

    private static bool IsNews(ProbeStatus? told, ProbeStatus? found) =>
        told is not null && found is not null
        && (told.LastFailure?.Message != found.LastFailure?.Message
            || found.Failures < told.Failures
            || (found.Failures > told.Failures && found.Failures >= 2 * told.Failures));
}
