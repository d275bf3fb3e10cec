using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>Rules of one direction with their defaults, which are Kubernetes'.</summary>
/// <param name="Window">Back in which the most cautious recommendation counts.</param>
internal sealed record EffectiveRules(TimeSpan Window, string SelectPolicy, IReadOnlyList<ScalingPolicy> Policies)
{
    private const int DefaultPeriodSeconds = 15;
    private static readonly TimeSpan DefaultUpWindow = TimeSpan.Zero;
    private static readonly TimeSpan DefaultDownWindow = TimeSpan.FromMinutes(5);

    private static readonly ScalingPolicy[] DefaultDown =
        [new() { Type = ScalingPolicy.Percent, Value = 100, PeriodSeconds = DefaultPeriodSeconds }];

    private static readonly ScalingPolicy[] DefaultUp =
        [.. DefaultDown, new() { Type = ScalingPolicy.Replicas, Value = 4, PeriodSeconds = DefaultPeriodSeconds }];

    public static EffectiveRules Up(AutoscalingBehavior? behavior) => Of(behavior?.ScaleUp, DefaultUpWindow, DefaultUp);

    public static EffectiveRules Down(AutoscalingBehavior? behavior) => Of(behavior?.ScaleDown, DefaultDownWindow, DefaultDown);

    /// <summary>For how long changes are of interest.</summary>
    public TimeSpan LongestPeriod => TimeSpan.FromSeconds(Policies.Max(policy => policy.PeriodSeconds));

    /// <summary>As many as there may be now. Never fewer than there are.</summary>
    public int UpLimit(int current, ScalingHistory history, TimeSpan now)
    {
        var limit = SelectPolicy == ScalingPolicySelect.Disabled ? current : Select(
            Policies.Select(policy =>
            {
                var atStart = AtStart(policy, current, history, now);
                return policy.Type == ScalingPolicy.Percent ? ReplicaMath.Ceiling(atStart * (1 + (policy.Value / 100.0))) : atStart + policy.Value;
            }),
            greatest: SelectPolicy != ScalingPolicySelect.Min);

        // A percentage of none would be none for ever. (Kubernetes leaves it at that.)
        var least = current == 0 && SelectPolicy != ScalingPolicySelect.Disabled ? 1 : current;
        return Math.Max(limit, least);
    }

    /// <summary>As few as there may be now. Never more than there are.</summary>
    public int DownLimit(int current, ScalingHistory history, TimeSpan now)
    {
        var limit = SelectPolicy == ScalingPolicySelect.Disabled ? current : Select(
            Policies.Select(policy =>
            {
                var atStart = AtStart(policy, current, history, now);
                return policy.Type == ScalingPolicy.Percent ? (int)(atStart * (1 - (policy.Value / 100.0))) : atStart - policy.Value;
            }),
            greatest: SelectPolicy == ScalingPolicySelect.Min);
        return Math.Min(limit, current);
    }

    private static EffectiveRules Of(ScalingRules? rules, TimeSpan window, IReadOnlyList<ScalingPolicy> policies) => new(
        rules?.StabilizationWindowSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : window,
        rules?.SelectPolicy ?? ScalingPolicySelect.Max,
        rules?.Policies is { Count: > 0 } own ? [.. own] : policies);

    private static int AtStart(ScalingPolicy policy, int current, ScalingHistory history, TimeSpan now) =>
        current - history.ChangeSince(now - TimeSpan.FromSeconds(policy.PeriodSeconds));

    private static int Select(IEnumerable<int> limits, bool greatest) => greatest ? limits.Max() : limits.Min();
}
