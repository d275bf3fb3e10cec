using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>Which hosts may carry an app's replicas, and how they are spread. Read by the scheduler at each binding.</summary>
public sealed class Placement
{
    /// <summary>Labels that a DockerHost must carry, all of them.</summary>
    [JsonPropertyName("hostSelector")]
    public IDictionary<string, string>? HostSelector { get; set; }

    /// <summary>Kubernetes' affinity. Beside <see cref="HostSelector"/>: both are asked for.</summary>
    [JsonPropertyName("affinity")]
    public Affinity? Affinity { get; set; }

    /// <summary>What the image is made for, in the words of image manifests: <c>amd64</c>, <c>arm64</c>. Absent or empty: any.</summary>
    [JsonPropertyName("architectures")]
    public IList<string>? Architectures { get; set; }

    /// <summary><see cref="PlacementStrategies"/>; default Spread.</summary>
    [JsonPropertyName("strategy")]
    public string? Strategy { get; set; }

    [JsonPropertyName("tolerations")]
    public IList<V1Toleration>? Tolerations { get; set; }

    /// <summary>No host carries more replicas of the app than this. At least 1; unlimited when absent.</summary>
    [JsonPropertyName("maxReplicasPerHost")]
    public int? MaxReplicasPerHost { get; set; }

    /// <summary>
    /// Whether replicas that run are moved, the new one first, when hosts have joined, returned or emptied and the app no longer lies evenly.
    /// Default true.
    /// </summary>
    [JsonPropertyName("rebalance")]
    public bool? Rebalance { get; set; }

    [JsonPropertyName("spread")]
    public IList<SpreadConstraint>? Spread { get; set; }
}

/// <summary>Kubernetes' topology spread constraint: the domains are the values of a host label.</summary>
public sealed class SpreadConstraint
{
    public const int DefaultMaxSkew = 1;

    /// <summary>Label key of a DockerHost; <c>kubernetes.io/hostname</c> means the host itself.</summary>
    [JsonPropertyName("topologyKey")]
    public string TopologyKey { get; set; } = "";

    /// <summary>Largest difference in replicas between two domains. At least 1, default 1.</summary>
    [JsonPropertyName("maxSkew")]
    public int? MaxSkew { get; set; }

    /// <summary><see cref="UnsatisfiableActions"/>; default ScheduleAnyway.</summary>
    [JsonPropertyName("whenUnsatisfiable")]
    public string? WhenUnsatisfiable { get; set; }
}

/// <summary>Values of <see cref="Placement.Strategy"/>: which of the hosts that fit is taken, where no wish decides.</summary>
public static class PlacementStrategies
{
    /// <summary>That with the fewest replicas of the app, so that the loss of one host costs few of them.</summary>
    public const string Spread = "Spread";

    /// <summary>The emptiest, whatever of the app runs there.</summary>
    public const string LeastAllocated = "LeastAllocated";

    /// <summary>The fullest, so that others stay empty: for batches of large replicas, or to give hosts back.</summary>
    public const string MostAllocated = "MostAllocated";
}

/// <summary>Values of <see cref="SpreadConstraint.WhenUnsatisfiable"/>.</summary>
public static class UnsatisfiableActions
{
    public const string DoNotSchedule = "DoNotSchedule";
    public const string ScheduleAnyway = "ScheduleAnyway";
}

/// <summary>Well-known label keys of hosts.</summary>
public static class TopologyKeys
{
    /// <summary>Stands for the host's own name; need not be set as a label.</summary>
    public const string Hostname = "kubernetes.io/hostname";

    /// <summary>Where hosts fail together, such as a data centre.</summary>
    public const string Zone = "topology.kubernetes.io/zone";

    /// <summary>Stands for the architecture that the engine reports, such as <c>amd64</c>; need not be set as a label.</summary>
    public const string Architecture = "kubernetes.io/arch";
}
