namespace Orchestrator.Runtime.Reconciling;

/// <summary>What a reconcile found out about when it wants its key again. A failure is an exception, not a result.</summary>
public readonly record struct ReconcileResult
{
    /// <summary>Nothing more to do until something changes.</summary>
    public static ReconcileResult Done => default;

    /// <summary>When to look again even if nothing changes; null when not.</summary>
    public TimeSpan? LookAgainAfter { get; private init; }

    public static ReconcileResult After(TimeSpan delay) => new() { LookAgainAfter = delay };
}
