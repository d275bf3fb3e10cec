namespace Orchestrator.ControlPlane.WebApps;

/// <summary>Reasons of a WebApp's conditions and Events: Kubernetes' words where it has them.</summary>
internal static class WebAppReasons
{
    public const string MinimumReplicasAvailable = "MinimumReplicasAvailable";
    public const string MinimumReplicasUnavailable = "MinimumReplicasUnavailable";
    public const string NewReplicasAvailable = "NewReplicasAvailable";
    public const string ReplicasUpdating = "ReplicasUpdating";
    public const string RolloutPaused = "RolloutPaused";
    public const string CanaryGrows = "CanaryGrows";
    public const string CanaryRuns = "CanaryRuns";
    public const string CanaryWaits = "CanaryWaits";
    public const string RolledBack = "RolledBack";
    public const string KeepsRestarting = "KeepsRestarting";
    public const string FailedCreate = "FailedCreate";
    public const string InvalidStrategy = "InvalidStrategy";
    public const string ConfigurationNotFound = "ConfigurationNotFound";
    public const string ConfigurationInvalid = "ConfigurationInvalid";
    public const string ConfigurationTooLarge = "ConfigurationTooLarge";
    public const string Deleting = "Deleting";
    public const string Accepted = "Accepted";
    public const string RouteConflict = "RouteConflict";
    public const string ListenerFailed = "ListenerFailed";
    public const string PortMissing = "PortMissing";

    // Events only.
    public const string ScaledUp = "ScaledUp";
    public const string ScaledDown = "ScaledDown";
    public const string ReplicasLost = "ReplicasLost";
    public const string Rebalancing = "Rebalancing";
    public const string RebalancingStopped = "RebalancingStopped";
    public const string ReplacedReplica = "ReplacedReplica";
    public const string RolloutStarted = "RolloutStarted";
    public const string CanaryWeight = "CanaryWeight";
    public const string CanaryPromoted = "CanaryPromoted";
    public const string RolloutComplete = "RolloutComplete";
    public const string Adopted = "Adopted";
    public const string InvalidEnvironmentVariableNames = "InvalidEnvironmentVariableNames";
}
