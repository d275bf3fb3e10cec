using CsCheck;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Autoscaling;

namespace Orchestrator.ControlPlane.Tests.Autoscaling;

/// <summary>Whatever metrics say, in whatever order, by whatever behaviour.</summary>
public sealed class ScaleDecisionProperties
{
    private const int Max = 30;

    private static readonly Gen<ScalingRules> Rules = Gen.Select(
        Gen.Int[0, 120],
        Gen.Int[0, 3].Select(index => new[] { null, ScalingPolicySelect.Max, ScalingPolicySelect.Min, ScalingPolicySelect.Disabled }[index]),
        Gen.Select(Gen.Bool.Select(percent => percent ? ScalingPolicy.Percent : ScalingPolicy.Replicas), Gen.Int[1, 120], Gen.Int[1, 120])
            .Select((type, value, period) => new ScalingPolicy { Type = type, Value = value, PeriodSeconds = period }).List[0, 3],
        (window, select, policies) => new ScalingRules { StabilizationWindowSeconds = window, SelectPolicy = select, Policies = policies });

    private static readonly Gen<AutoscalingBehavior?> Behaviors = Gen.Select(Rules, Rules, Gen.Bool, (up, down, some) => some ? new AutoscalingBehavior { ScaleUp = up, ScaleDown = down } : null);

    /// <summary>What the metric asks for each period; negative: it cannot be read.</summary>
    private static readonly Gen<List<int>> Loads = Gen.Int[-3, 60].List[1, 40];

    [Fact]
    public void Never_beyond_the_bounds_and_never_against_what_is_asked_for() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, Max], Loads, Behaviors).Sample((min, start, loads, behavior) =>
        {
            foreach (var (before, asked, decision) in Run(min, start, loads, behavior))
            {
                Assert.InRange(decision.Desired, min, Max);
                if (before >= min)
                {
                    // Not past what is asked for, unless the bounds or an earlier recommendation hold it.
                    Assert.True(asked < before || decision.Desired >= before, $"{asked} were asked for, and {before} became {decision.Desired}");
                    Assert.True(asked > before || asked < 0 || decision.Desired <= before, $"{asked} were asked for, and {before} became {decision.Desired}");
                    Assert.True(asked >= 0 || decision.Desired == before);
                }

                Assert.Equal(decision.Desired != before, decision.Cause is not null);
            }
        });

    [Fact]
    public void What_is_asked_for_long_enough_comes_unless_it_is_forbidden() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, Max], Gen.Int[0, 60], Loads, Behaviors).Sample((min, start, last, loads, behavior) =>
        {
            // A percentage of few rounds down to none: only those that move at all are of interest.
            if (behavior is not null && new[] { behavior.ScaleUp, behavior.ScaleDown }.Any(rules =>
                rules!.SelectPolicy == ScalingPolicySelect.Disabled || rules.Policies!.Any(policy => policy.Type == ScalingPolicy.Percent && policy.Value < 100)))
            {
                return;
            }

            loads.AddRange(Enumerable.Repeat(last, 500));
            Assert.Equal(Math.Clamp(last, min, Max), Run(min, start, loads, behavior).Last().Decision.Desired);
        });

    [Fact]
    public void No_policy_is_ever_exceeded() =>
        Gen.Select(Gen.Int[1, Max], Loads, Gen.Int[1, 10], Gen.Int[1, 120], Gen.Bool).Sample((start, loads, value, period, up) =>
        {
            ScalingRules limited = new() { StabilizationWindowSeconds = 0, Policies = [new() { Type = ScalingPolicy.Replicas, Value = value, PeriodSeconds = period }] };
            ScalingRules free = new() { StabilizationWindowSeconds = 0, SelectPolicy = ScalingPolicySelect.Disabled };
            var behavior = up ? new AutoscalingBehavior { ScaleUp = limited, ScaleDown = free } : new AutoscalingBehavior { ScaleUp = free, ScaleDown = limited };
            List<int> counts = [start, .. Run(1, start, loads, behavior).Select(step => step.Decision.Desired)];
            var periods = (period + 14) / 15;
            for (var i = 0; i < counts.Count; i++)
            {
                var before = counts[Math.Max(0, i - periods)];
                Assert.InRange(up ? counts[i] - before : before - counts[i], 0, value);
            }
        });

    private static IEnumerable<(int Before, int Asked, ScaleDecision Decision)> Run(int min, int start, IEnumerable<int> loads, AutoscalingBehavior? behavior)
    {
        ScalingHistory? history = null;
        var (current, now) = (start, TimeSpan.FromHours(1));
        foreach (var asked in loads)
        {
            var proposal = asked < 0
                ? Proposal.Unknown("inFlight", AutoscalingReasons.FailedGetTraffic, "unknown")
                : Proposal.Of("inFlight", asked, seen: null);
            var decision = ScaleDecision.Make(new(current, new(min, "minReplicas"), Max, [proposal], behavior, history, now));
            yield return (current, asked, decision);
            (current, history, now) = (decision.Desired, decision.History, now + AutoscalingReconciler.Period);
        }
    }
}
