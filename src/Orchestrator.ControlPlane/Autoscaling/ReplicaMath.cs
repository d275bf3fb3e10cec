namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>How many replicas a metric asks for: the arithmetic of Kubernetes' replica calculator. Pure.</summary>
internal static class ReplicaMath
{
    /// <summary>Of the target: within it nothing changes. Kubernetes' default.</summary>
    private const double Tolerance = 0.1;

    /// <summary>Beyond all that an app may ask for; metrics may say anything.</summary>
    private const double Most = 1_000_000;

    public static bool IsWithinTolerance(double ratio) => Math.Abs(1 - ratio) <= Tolerance;

    /// <summary>By a metric that is shared among the replicas.</summary>
    /// <param name="total">Of the app as a whole.</param>
    /// <param name="target">A replica's share, above 0.</param>
    /// <param name="replicas">That there are.</param>
    public static int ByShare(double total, double target, int replicas) =>
        replicas > 0 && IsWithinTolerance(total / (target * replicas)) ? replicas : Ceiling(total / target);

    /// <summary>By a metric of the app as a whole, of which more replicas make less.</summary>
    /// <param name="ratio">Of what it is to what it should be.</param>
    /// <param name="wanted">Replicas that there are to be.</param>
    /// <param name="ready">Of them, those that serve.</param>
    public static int ByRatio(double ratio, int wanted, int ready) =>
        wanted == 0 ? Ceiling(ratio)
        : IsWithinTolerance(ratio) ? wanted
        : Ceiling(ratio * ready);

    public static int Ceiling(double replicas) => (int)Math.Ceiling(Math.Clamp(replicas, 0, Most));
}
