using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Autoscaling;

namespace Orchestrator.ControlPlane.Tests.Autoscaling;

/// <summary>The cases of Kubernetes' own horizontal controller, in its words.</summary>
public sealed class ScaleDecisionTests
{
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(3, 5, 5, "AbleToScale/SucceededRescale ScalingActive/ValidMetricFound not ScalingLimited/DesiredWithinRange")]
    [InlineData(3, 3, 3, "AbleToScale/ReadyForNewScale ScalingActive/ValidMetricFound not ScalingLimited/DesiredWithinRange")]
    [InlineData(3, 20, 7, "AbleToScale/SucceededRescale ScalingActive/ValidMetricFound ScalingLimited/ScaleUpLimit")] // 4 more, or twice
    [InlineData(6, 30, 10, "AbleToScale/SucceededRescale ScalingActive/ValidMetricFound ScalingLimited/TooManyReplicas")]
    [InlineData(10, 30, 10, "AbleToScale/ReadyForNewScale ScalingActive/ValidMetricFound ScalingLimited/TooManyReplicas")]
    [InlineData(2, 1, 2, "AbleToScale/ScaleDownStabilized ScalingActive/ValidMetricFound not ScalingLimited/DesiredWithinRange")]
    [InlineData(12, 3, 10, "AbleToScale/SucceededRescale")]
    [InlineData(1, 3, 2, "AbleToScale/SucceededRescale")]
    public void Of_a_controller_that_has_just_started(int current, int asked, int desired, string conditions)
    {
        var decision = Decide(current, [Asks(asked)]);

        Assert.Equal((desired, conditions), (decision.Desired, Describe(decision)));
    }

    [Fact]
    public void The_metric_that_asks_for_most_decides()
    {
        var decision = Decide(2, [Asks(1), Asks(4, "inFlight"), Asks(3)]);

        Assert.Equal((4, "inFlight asks for 4"), (decision.Desired, decision.Cause));
    }

    [Theory]
    [InlineData(5, 5)] // More may come all the same.
    [InlineData(3, 3)]
    public void One_that_cannot_be_read_keeps_nothing_from_coming(int asked, int desired) =>
        Assert.Equal(desired, Decide(3, [Unread, Asks(asked)]).Desired);

    [Fact]
    public void One_that_cannot_be_read_might_need_what_would_go()
    {
        var decision = Decide(3, [Asks(1), Unread]);

        Assert.Equal((3, "AbleToScale/ReadyForNewScale not ScalingActive/FailedGetTraffic"), (decision.Desired, Describe(decision)));
        Assert.Equal("nobody has seen it", decision.Active!.Message);
    }

    [Fact]
    public void Fewer_come_once_a_whole_window_has_asked_for_no_more()
    {
        ScalingHistory? history = null;
        var (current, at) = (8, Now);
        List<int> wanted = [];
        for (var period = 0; period <= 21; period++)
        {
            var decision = ScaleDecision.Make(new(current, new(2, "minReplicas"), 10, [Asks(period == 0 ? 8 : 2)], Behavior: null, history, at));
            (history, current, at) = (decision.History, decision.Desired, at + AutoscalingReconciler.Period);
            wanted.Add(current);
        }

        // 300 s are 20 periods.
        Assert.Equal([.. Enumerable.Repeat(8, 20), 2, 2], wanted);
    }

    [Fact]
    public void More_come_only_as_far_as_the_window_up_has_always_asked_for()
    {
        AutoscalingBehavior behavior = new() { ScaleUp = new() { StabilizationWindowSeconds = 60 } };
        var first = ScaleDecision.Make(new(2, new(1, "minReplicas"), 10, [Asks(6)], behavior, null, Now));
        var second = ScaleDecision.Make(new(2, new(1, "minReplicas"), 10, [Asks(4)], behavior, first.History, Now + TimeSpan.FromSeconds(61)));

        Assert.Equal((2, AutoscalingReasons.ScaleUpStabilized), (first.Desired, first.Able.Reason));
        Assert.Equal(4, second.Desired);
    }

    [Theory]
    [InlineData(ScalingPolicySelect.Max, 6)] // Three when the period began, and as many more.
    [InlineData(ScalingPolicySelect.Min, 5)]
    [InlineData(ScalingPolicySelect.Disabled, 4)]
    public void A_policy_up_counts_what_came_in_its_period(string select, int desired)
    {
        AutoscalingBehavior behavior = new()
        {
            ScaleUp = new()
            {
                SelectPolicy = select,
                Policies =
                [
                    new() { Type = ScalingPolicy.Replicas, Value = 2, PeriodSeconds = 60 },
                    new() { Type = ScalingPolicy.Percent, Value = 100, PeriodSeconds = 60 },
                ],
            },
        };
        var history = ScalingHistory.Begin(4, Now).Change(1, Now - TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(30)).Change(5, Now - TimeSpan.FromSeconds(61), TimeSpan.FromMinutes(30));

        Assert.Equal(desired, ScaleDecision.Make(new(4, new(1, "minReplicas"), 10, [Asks(10)], behavior, history, Now)).Desired);
    }

    [Theory]
    [InlineData(ScalingPolicySelect.Max, 4)]
    [InlineData(ScalingPolicySelect.Min, 7)]
    [InlineData(ScalingPolicySelect.Disabled, 8)]
    public void A_policy_down_lets_go_a_few_at_a_time(string select, int desired)
    {
        AutoscalingBehavior behavior = new()
        {
            ScaleDown = new()
            {
                StabilizationWindowSeconds = 0,
                SelectPolicy = select,
                Policies =
                [
                    new() { Type = ScalingPolicy.Replicas, Value = 1, PeriodSeconds = 60 },
                    new() { Type = ScalingPolicy.Percent, Value = 50, PeriodSeconds = 60 },
                ],
            },
        };

        Assert.Equal(desired, ScaleDecision.Make(new(8, new(1, "minReplicas"), 10, [Asks(1)], behavior, History: null, Now)).Desired);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    public void From_none_it_comes_at_once(int asked, int desired)
    {
        AutoscalingBehavior behavior = new() { ScaleUp = new() { Policies = [new() { Type = ScalingPolicy.Replicas, Value = 4, PeriodSeconds = 15 }] } };

        Assert.Equal(desired, ScaleDecision.Make(new(0, new(0, "minReplicas"), 10, [Asks(asked)], behavior, ScalingHistory.Begin(0, Now), Now)).Desired);
    }

    [Fact]
    public void From_none_the_first_one_waits_for_no_window_and_no_percentage()
    {
        AutoscalingBehavior behavior = new()
        {
            ScaleUp = new() { StabilizationWindowSeconds = 600, Policies = [new() { Type = ScalingPolicy.Percent, Value = 100, PeriodSeconds = 15 }] },
        };

        Assert.Equal(1, ScaleDecision.Make(new(0, new(0, "minReplicas"), 10, [Asks(5)], behavior, ScalingHistory.Begin(0, Now), Now)).Desired);
    }

    private static Proposal Unread => Proposal.Unknown("requestsPerSecond", AutoscalingReasons.FailedGetTraffic, "nobody has seen it");

    private static Proposal Asks(int replicas, string metric = "requestsPerSecond") => Proposal.Of(metric, replicas, seen: null);

    private static ScaleDecision Decide(int current, IReadOnlyList<Proposal> proposals) =>
        ScaleDecision.Make(new(current, new(2, "minReplicas"), 10, proposals, Behavior: null, History: null, Now));

    private static string Describe(ScaleDecision decision) => string.Join(' ', new[]
    {
        ("AbleToScale", decision.Able),
        ("ScalingActive", decision.Active),
        ("ScalingLimited", decision.Limited),
    }.Where(one => one.Item2 is not null).Select(one => $"{(one.Item2!.Holds ? "" : "not ")}{one.Item1}/{one.Item2.Reason}"));
}
