namespace Orchestrator.Api.WebApps;

/// <summary>The one reading of <see cref="Disruption"/>, for all that takes replicas away without having to.</summary>
public static class DisruptionLimits
{
    /// <summary>
    /// How many of the wanted replicas may be missing, whatever they are missing for. Percentages are rounded up, as a
    /// PodDisruptionBudget's. Without a limit it is what a rolling update may do without, and at least one: else no app of few
    /// replicas could ever be moved.
    /// </summary>
    /// <exception cref="FormatException">A text is neither a number nor a percentage; no server that checks the schema stores one.</exception>
    public static int MaxUnavailable(WebApp app)
    {
        var desired = app.DesiredReplicas;
        return app.Spec.Disruption switch
        {
            { MaxUnavailable: { } most } => Math.Min(desired, ReplicaShare.Of(most, desired, Math.Ceiling)),
            { MinAvailable: { } least } => Math.Max(0, desired - ReplicaShare.Of(least, desired, Math.Ceiling)),
            _ => Math.Max(1, RollingUpdateLimits.Of(app.Spec.Strategy?.Rolling, desired).Unavailable),
        };
    }
}
