using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>What one metric asks for, or why that is not known.</summary>
/// <param name="Metric">Its type, for people.</param>
/// <param name="Replicas">Null when not known: then <paramref name="Failure"/> says why.</param>
/// <param name="Seen">What it is; null when not known, or when it is none of the user's.</param>
internal sealed record Proposal(string Metric, int? Replicas, MetricStatus? Seen, ProposalFailure? Failure)
{
    public static Proposal Of(string metric, int replicas, MetricTarget? seen) =>
        new(metric, replicas, seen is null ? null : new() { Type = metric, Current = seen }, Failure: null);

    public static Proposal Unknown(string metric, string reason, string message) => new(metric, Replicas: null, Seen: null, new(reason, message));
}

/// <param name="Reason">One CamelCase word.</param>
/// <param name="Message">The same for people.</param>
internal sealed record ProposalFailure(string Reason, string Message);
