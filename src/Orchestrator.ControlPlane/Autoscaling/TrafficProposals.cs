using System.Globalization;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>How many replicas there are of an app.</summary>
/// <param name="Wanted">That there are to be.</param>
/// <param name="Existing">That there are, and are not being deleted.</param>
/// <param name="Ready">Of them, those that serve.</param>
internal readonly record struct ReplicaCounts(int Wanted, int Existing, int Ready);

/// <summary>What the metrics ask for that proxies see. Pure.</summary>
internal static class TrafficProposals
{
    private const int Percentile = 95;

    /// <summary>Of an app that may go without replicas: one as soon as anybody asks for it.</summary>
    public static Proposal Presence(AppTraffic traffic)
    {
        const string Metric = "requests";
        return traffic.Waiting > 0 ? Proposal.Of(Metric, 1, seen: null)
            : traffic.Problem is { } problem ? Unknown(Metric, problem)
            : Proposal.Of(Metric, traffic.IsIdle ? 0 : 1, seen: null);
    }

    public static Proposal Of(AutoscalingMetric metric, AppTraffic traffic, ReplicaCounts replicas)
    {
        if (traffic.Problem is { } problem)
        {
            return Unknown(metric.Type, problem);
        }

        return metric.Type == MetricTypes.LatencyP95
            ? Latency(metric, traffic, replicas)
            : Shared(metric, metric.Type == MetricTypes.InFlight ? traffic.InFlight : traffic.RequestsPerSecond, replicas);
    }

    public static ResourceQuantity Quantity(double value) =>
        new(Math.Round(value, 3).ToString("0.###", CultureInfo.InvariantCulture));

    private static Proposal Shared(AutoscalingMetric metric, double total, ReplicaCounts replicas)
    {
        if (Quantities.Read(metric.Target.AverageValue) is not { } target || target <= 0)
        {
            return NoTarget(metric.Type, "averageValue");
        }

        return Proposal.Of(
            metric.Type,
            ReplicaMath.ByShare(total, (double)target, replicas.Existing),
            new() { AverageValue = Quantity(total / Math.Max(1, replicas.Existing)) });
    }

    private static Proposal Latency(AutoscalingMetric metric, AppTraffic traffic, ReplicaCounts replicas)
    {
        if (Quantities.Read(metric.Target.Value) is not { } target || target <= 0)
        {
            return NoTarget(metric.Type, "value");
        }

        // Nothing has ended lately: either nothing was asked for, or it takes longer than we have looked.
        if (LatencyBuckets.Percentile(traffic.Latencies ?? [], Percentile) is not { } latency)
        {
            return traffic.IsIdle
                ? Proposal.Of(metric.Type, 0, new() { Value = Quantity(0) })
                : Unknown(metric.Type, "no request has been answered lately");
        }

        return Proposal.Of(
            metric.Type,
            ReplicaMath.ByRatio(latency.TotalMilliseconds / (double)target, replicas.Wanted, replicas.Ready),
            new() { Value = Quantity(Math.Round(latency.TotalMilliseconds)) });
    }

    private static Proposal Unknown(string metric, string problem) =>
        Proposal.Unknown(metric, AutoscalingReasons.FailedGetTraffic, $"{metric} is not known: {problem}");

    private static Proposal NoTarget(string metric, string field) =>
        Proposal.Unknown(metric, AutoscalingReasons.InvalidMetric, $"{metric} needs a target.{field} above 0");
}
