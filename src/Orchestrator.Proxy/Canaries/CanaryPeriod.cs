using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Canaries;

/// <summary>What requests of a canary are counted together: those of two revisions since the weight was last set.</summary>
/// <param name="Since"><see cref="CanaryProgress.WeightSince"/>.</param>
internal sealed record CanaryPeriod(string Stable, string Revision, DateTime Since)
{
    /// <returns>Null when no canary gets requests.</returns>
    public static CanaryPeriod? Of(WebApp app) =>
        app.Status is { CurrentRevision: { } stable, Rollout.Canary: { Weight: not null, WeightSince: { } since } canary }
            ? new(stable, canary.Revision, since)
            : null;
}
