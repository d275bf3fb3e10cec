using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>What a decision is made from.</summary>
/// <param name="Current">Replicas that there are to be now.</param>
/// <param name="Floor">Never fewer.</param>
/// <param name="Max">Never more; not below <paramref name="Floor"/>.</param>
/// <param name="History">Null: none is known.</param>
/// <param name="Now">By a clock that never jumps.</param>
internal sealed record DecisionInput(
    int Current, Floor Floor, int Max, IReadOnlyList<Proposal> Proposals, AutoscalingBehavior? Behavior, ScalingHistory? History, TimeSpan Now);

/// <summary>A condition's state.</summary>
internal sealed record Verdict(bool Holds, string Reason, string Message);

/// <summary>
/// How many replicas there are to be, and why: one round of Kubernetes' horizontal controller (its reconcileAutoscaler, with behaviours). Pure.
/// </summary>
/// <param name="Cause">Of a change, for people; null when there is none.</param>
/// <param name="Active">Null: as before, since the metrics did not matter.</param>
/// <param name="Limited">Null: as before.</param>
internal sealed record ScaleDecision(int Desired, string? Cause, Verdict Able, Verdict? Active, Verdict? Limited, ScalingHistory History)
{
    public static ScaleDecision Make(DecisionInput input)
    {
        var (up, down) = (EffectiveRules.Up(input.Behavior), EffectiveRules.Down(input.Behavior));
        var history = input.History ?? ScalingHistory.Begin(input.Current, input.Now);
        var decision = input.Current > input.Max ? ByBounds(input.Max, $"there were more than maxReplicas, {input.Max}")
            : input.Current < input.Floor.Replicas ? ByBounds(input.Floor.Replicas, $"there were fewer than {input.Floor.Cause} wants, {input.Floor.Replicas}")
            : ByMetrics(input, history, up, down);

        if (decision.Desired == input.Current)
        {
            return decision with { Cause = null };
        }

        var keep = up.LongestPeriod > down.LongestPeriod ? up.LongestPeriod : down.LongestPeriod;
        return decision with
        {
            Able = new(true, AutoscalingReasons.SucceededRescale, $"the number of replicas was changed from {input.Current} to {decision.Desired}"),
            History = decision.History.Change(decision.Desired - input.Current, input.Now, keep),
        };

        ScaleDecision ByBounds(int bound, string cause) => new(bound, cause, Able: null!, Active: null, Limited: null, history);
    }

    private static ScaleDecision ByMetrics(DecisionInput input, ScalingHistory history, EffectiveRules up, EffectiveRules down)
    {
        var best = input.Proposals.Where(proposal => proposal.Replicas is not null).MaxBy(proposal => proposal.Replicas);
        var failed = input.Proposals.FirstOrDefault(proposal => proposal.Failure is not null);

        // One that cannot be read might ask for more: nothing is taken away without it.
        if (best is null || (failed is not null && best.Replicas < input.Current))
        {
            var failure = failed?.Failure ?? new(AutoscalingReasons.InvalidMetric, "there is no metric to scale by");
            return new(
                input.Current, null, new(true, AutoscalingReasons.ReadyForNewScale, "waits for its metrics"),
                new(false, failure.Reason, failure.Message), Limited: null, history);
        }

        var asked = best.Replicas!.Value;
        var (stable, able) = Stabilize(asked, input, history, up, down);
        var (desired, limited) = Limit(stable, input, history, up, down);
        var keep = up.Window > down.Window ? up.Window : down.Window;
        var cause = desired > input.Current ? $"{best.Metric} asks for {asked}" : "all metrics are below their targets";
        return new(
            desired, cause, able, new(true, AutoscalingReasons.ValidMetricFound, $"{best.Metric} asks for {asked}"), limited,
            history.Recommend(asked, input.Now, keep));
    }

    private static (int, Verdict) Stabilize(int asked, DecisionInput input, ScalingHistory history, EffectiveRules up, EffectiveRules down)
    {
        var least = history.Since(input.Now - up.Window, asked).Min();
        var most = history.Since(input.Now - down.Window, asked).Max();

        // Of an app without replicas somebody waits for the first one.
        least = input.Current == 0 ? Math.Max(least, Math.Min(asked, 1)) : least;
        var stable = Math.Min(Math.Max(input.Current, least), most);
        return (stable, stable == asked
            ? new(true, AutoscalingReasons.ReadyForNewScale, "the recommended number matches the current one, or may be taken at once")
            : asked >= input.Current
                ? new(true, AutoscalingReasons.ScaleUpStabilized, "recent recommendations were lower: the lowest of them is taken")
                : new(true, AutoscalingReasons.ScaleDownStabilized, "recent recommendations were higher: the highest of them is taken"));
    }

    private static (int, Verdict) Limit(int stable, DecisionInput input, ScalingHistory history, EffectiveRules up, EffectiveRules down)
    {
        if (stable > input.Current)
        {
            var limit = up.UpLimit(input.Current, history, input.Now);
            var most = Math.Min(limit, input.Max);
            if (stable > most)
            {
                return (most, limit < input.Max
                    ? new(true, AutoscalingReasons.ScaleUpLimit, "the number of replicas grows faster than behavior.scaleUp lets it")
                    : new(true, AutoscalingReasons.TooManyReplicas, $"more than maxReplicas, {input.Max}, are asked for"));
            }
        }
        else if (stable < input.Current)
        {
            var limit = down.DownLimit(input.Current, history, input.Now);
            var fewest = Math.Max(limit, input.Floor.Replicas);
            if (stable < fewest)
            {
                return (fewest, limit > input.Floor.Replicas
                    ? new(true, AutoscalingReasons.ScaleDownLimit, "the number of replicas falls faster than behavior.scaleDown lets it")
                    : new(true, AutoscalingReasons.TooFewReplicas, $"fewer are asked for than {input.Floor.Cause} wants, {input.Floor.Replicas}"));
            }
        }

        return (stable, new(false, AutoscalingReasons.DesiredWithinRange, "the number asked for is within the bounds"));
    }
}
