using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>What a number from Prometheus asks for: Kubernetes' external metrics. Pure.</summary>
internal static class PrometheusProposals
{
    public static Proposal Of(AutoscalingMetric metric, Answer answer, ReplicaCounts replicas)
    {
        if (answer.Value is not { } value)
        {
            return Proposal.Unknown(metric.Type, AutoscalingReasons.FailedGetExternalMetric, $"{metric.Type} is not known: {answer.Problem}");
        }

        var proposal = (Quantities.Read(metric.Target.Value), Quantities.Read(metric.Target.AverageValue)) switch
        {
            ( > 0 and var target, _) => Proposal.Of(
                metric.Type, ReplicaMath.ByRatio(value / (double)target, replicas.Wanted, replicas.Ready), new() { Value = TrafficProposals.Quantity(value) }),
            (_, > 0 and var share) => Proposal.Of(
                metric.Type,
                ReplicaMath.ByShare(value, (double)share, replicas.Existing),
                new() { AverageValue = TrafficProposals.Quantity(value / Math.Max(1, replicas.Existing)) }),
            _ => Proposal.Unknown(metric.Type, AutoscalingReasons.InvalidMetric, $"{metric.Type} needs a target.value or a target.averageValue above 0"),
        };
        return proposal.Seen is { } seen
            ? proposal with { Seen = new() { Type = seen.Type, Query = metric.Prometheus?.Query, Current = seen.Current } }
            : proposal;
    }
}
