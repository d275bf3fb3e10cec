namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>Reasons of conditions and Events: a HorizontalPodAutoscaler's words where it has them.</summary>
internal static class AutoscalingReasons
{
    // AbleToScale.
    public const string SucceededRescale = "SucceededRescale";
    public const string ReadyForNewScale = "ReadyForNewScale";
    public const string ScaleUpStabilized = "ScaleUpStabilized";
    public const string ScaleDownStabilized = "ScaleDownStabilized";

    // ScalingActive.
    public const string ValidMetricFound = "ValidMetricFound";
    public const string FailedGetTraffic = "FailedGetTraffic";
    public const string FailedGetResourceMetric = "FailedGetResourceMetric";
    public const string FailedGetExternalMetric = "FailedGetExternalMetric";
    public const string InvalidMetric = "InvalidMetric";

    // ScalingLimited.
    public const string DesiredWithinRange = "DesiredWithinRange";
    public const string ScaleUpLimit = "ScaleUpLimit";
    public const string ScaleDownLimit = "ScaleDownLimit";
    public const string TooManyReplicas = "TooManyReplicas";
    public const string TooFewReplicas = "TooFewReplicas";

    // Events only.
    public const string InvalidSchedule = "InvalidSchedule";
    public const string SuccessfulRescale = "SuccessfulRescale";
}
