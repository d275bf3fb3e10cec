using k8s.Models;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>What there is to say of a replica's share of a resource.</summary>
internal enum Share
{
    /// <summary>It counts as it was measured.</summary>
    Measured,

    /// <summary>It runs, and what it uses is not known.</summary>
    Missing,

    /// <summary>It does not serve yet: what it uses says nothing of the load.</summary>
    Unready,
}

/// <summary>A replica that is not being deleted.</summary>
/// <param name="Request">What it requests of the resource; null: nothing.</param>
/// <param name="Usage">What it uses of it, where <paramref name="Share"/> is <see cref="Share.Measured"/>.</param>
internal readonly record struct MeasuredReplica(Share Share, decimal? Request, decimal Usage = 0);

/// <summary>What cpu and memory ask for: GetResourceReplicas of Kubernetes' replica calculator. Pure.</summary>
internal static class ResourceProposals
{
    /// <param name="wanted">Replicas that there are to be.</param>
    public static Proposal Of(AutoscalingMetric metric, IReadOnlyCollection<MeasuredReplica> replicas, int wanted)
    {
        if (metric.Target.AverageUtilization is not { } target || target <= 0)
        {
            return Proposal.Unknown(metric.Type, AutoscalingReasons.InvalidMetric, $"{metric.Type} needs a target.averageUtilization above 0");
        }

        if (replicas.Any(replica => replica.Request is not > 0))
        {
            return Unknown(metric, $"the replicas request none: set spec.resources.requests.{metric.Type}");
        }

        var measured = replicas.Where(replica => replica.Share == Share.Measured).ToList();
        if (measured.Count == 0)
        {
            return Unknown(metric, "no replica that serves could be measured");
        }

        // As Kubernetes has it, whole percent.
        var utilization = Percent(measured);
        var ratio = (double)utilization / target;
        var missing = replicas.Where(replica => replica.Share == Share.Missing).ToList();
        var unready = replicas.Where(replica => replica.Share == Share.Unready).ToList();
        return Proposal.Of(metric.Type, Replicas(), new()
        {
            AverageUtilization = utilization,
            AverageValue = Quantity(metric.Type, measured.Average(replica => replica.Usage)),
        });

        int Replicas()
        {
            var upWithUnready = unready.Count > 0 && ratio > 1;
            if (!upWithUnready && missing.Count == 0)
            {
                return ReplicaMath.ByRatio(ratio, wanted, measured.Count);
            }

            // What is not known is taken for what speaks against a change: for all of its request (or the target, if that is more) when fewer
            // would do, for nothing when more are asked for. One that does not serve yet has still to take its share.
            var fallback = Math.Max(100, target);
            List<MeasuredReplica> all =
            [
                .. measured,
                .. ratio == 1 ? [] : missing.Select(replica => replica with { Usage = ratio < 1 ? replica.Request!.Value * fallback / 100 : 0 }),
                .. upWithUnready ? unready.Select(replica => replica with { Usage = 0 }) : [],
            ];
            var cautious = (double)Percent(all) / target;
            if (ReplicaMath.IsWithinTolerance(cautious) || ratio < 1 != cautious < 1)
            {
                return wanted;
            }

            var asked = ReplicaMath.Ceiling(cautious * all.Count);
            return (cautious < 1 && asked > wanted) || (cautious > 1 && asked < wanted) ? wanted : asked;
        }
    }

    private static int Percent(IReadOnlyCollection<MeasuredReplica> replicas) =>
        (int)Math.Min(int.MaxValue, replicas.Sum(replica => replica.Usage) * 100 / replicas.Sum(replica => replica.Request!.Value));

    private static ResourceQuantity Quantity(string resource, decimal usage) => resource == MetricTypes.Cpu
        ? TrafficProposals.Quantity((double)usage)
        : new(decimal.Truncate(usage).ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static Proposal Unknown(AutoscalingMetric metric, string problem) =>
        Proposal.Unknown(metric.Type, AutoscalingReasons.FailedGetResourceMetric, $"{metric.Type} is not known: {problem}");
}
