using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// Kubernetes' affinity, with hosts for nodes and apps for pods. What is required is asked for at each binding and never again: a
/// replica that runs is not moved because a label has changed.
/// </summary>
public sealed class Affinity
{
    /// <summary>To hosts, by their labels.</summary>
    [JsonPropertyName("hostAffinity")]
    public HostAffinity? Hosts { get; set; }

    /// <summary>Away from apps, by theirs.</summary>
    [JsonPropertyName("appAntiAffinity")]
    public AppAntiAffinity? AwayFromApps { get; set; }
}

/// <summary>Kubernetes' nodeAffinity.</summary>
public sealed class HostAffinity
{
    [JsonPropertyName("requiredDuringSchedulingIgnoredDuringExecution")]
    public HostSelector? Required { get; set; }

    [JsonPropertyName("preferredDuringSchedulingIgnoredDuringExecution")]
    public IList<PreferredHosts>? Preferred { get; set; }
}

/// <summary>A host is selected that matches any of the terms.</summary>
public sealed class HostSelector
{
    [JsonPropertyName("hostSelectorTerms")]
    public IList<HostSelectorTerm> Terms { get; set; } = [];
}

/// <summary>Matches a host that meets all of its expressions; none when it has none.</summary>
public sealed class HostSelectorTerm
{
    /// <summary>Operators <see cref="SelectorOperators"/>.</summary>
    [JsonPropertyName("matchExpressions")]
    public IList<V1NodeSelectorRequirement>? MatchExpressions { get; set; }
}

/// <summary>Hosts that are better than others by a weight of 1 to 100.</summary>
public sealed class PreferredHosts
{
    [JsonPropertyName("weight")]
    public int Weight { get; set; }

    [JsonPropertyName("preference")]
    public HostSelectorTerm Preference { get; set; } = new();
}

/// <summary>Kubernetes' podAntiAffinity: by the labels of WebApps, for all of their replicas.</summary>
public sealed class AppAntiAffinity
{
    /// <summary>No replica comes into a domain that has one of a selected app, nor one of theirs where this app's are.</summary>
    [JsonPropertyName("requiredDuringSchedulingIgnoredDuringExecution")]
    public IList<AppAffinityTerm>? Required { get; set; }

    [JsonPropertyName("preferredDuringSchedulingIgnoredDuringExecution")]
    public IList<PreferredApps>? Preferred { get; set; }
}

/// <summary>Some apps, and what counts as being near them.</summary>
public sealed class AppAffinityTerm
{
    /// <summary>
    /// Over the labels of WebApps, of which <c>orchestrator.dev/app</c> is each one's name. It may select the app itself: then its own
    /// replicas of one revision keep apart. Empty: every app; absent: none.
    /// </summary>
    [JsonPropertyName("labelSelector")]
    public V1LabelSelector? LabelSelector { get; set; }

    /// <summary>Namespaces of those apps. Absent or empty: the app's own.</summary>
    [JsonPropertyName("namespaces")]
    public IList<string>? Namespaces { get; set; }

    /// <summary>Label key of hosts; those with one value are near each other. <c>kubernetes.io/hostname</c> means the host itself.</summary>
    [JsonPropertyName("topologyKey")]
    public string TopologyKey { get; set; } = "";
}

/// <summary>Apps that it is better not to be near, by a weight of 1 to 100 for each of their replicas there.</summary>
public sealed class PreferredApps
{
    [JsonPropertyName("weight")]
    public int Weight { get; set; }

    [JsonPropertyName("appAffinityTerm")]
    public AppAffinityTerm Term { get; set; } = new();
}

/// <summary>Operators of expressions over labels. Gt and Lt, of hosts only, compare whole numbers.</summary>
public static class SelectorOperators
{
    public const string In = "In";
    public const string NotIn = "NotIn";
    public const string Exists = "Exists";
    public const string DoesNotExist = "DoesNotExist";
    public const string Gt = "Gt";
    public const string Lt = "Lt";
}
