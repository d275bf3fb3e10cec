using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// How requests reach an app through the proxy. Two apps that claim the same port, host and path conflict: the older one
/// (creationTimestamp, then namespace and name) keeps it, the other's condition <see cref="ConditionTypes.RouteAccepted"/> says so.
/// </summary>
public sealed class Route
{
    public const string DefaultPath = "/";

    /// <summary>Host names, exact or <c>*.example.org</c>; any host when empty.</summary>
    [JsonPropertyName("hosts")]
    public IList<string>? Hosts { get; set; }

    /// <summary>Path prefix, matched by whole segments. Default "/".</summary>
    [JsonPropertyName("path")]
    public string? Path { get; set; }

    /// <summary>
    /// A listener of the app's own on every proxy, such as 9090; the proxy's shared listener when absent. One that cannot be had is
    /// told in <see cref="ConditionTypes.RouteAccepted"/>.
    /// </summary>
    [JsonPropertyName("port")]
    public int? Port { get; set; }

    /// <summary><see cref="BalancingPolicies"/>; default PowerOfTwoChoices.</summary>
    [JsonPropertyName("balancing")]
    public string? Balancing { get; set; }

    [JsonPropertyName("consistentHash")]
    public ConsistentHash? ConsistentHash { get; set; }

    [JsonPropertyName("stickiness")]
    public Stickiness? Stickiness { get; set; }

    /// <summary>Seconds over which a new replica gets up to its full share of the requests. Default 0: at once.</summary>
    [JsonPropertyName("slowStartSeconds")]
    public int? SlowStartSeconds { get; set; }

    [JsonPropertyName("timeouts")]
    public RouteTimeouts? Timeouts { get; set; }

    [JsonPropertyName("outlierDetection")]
    public OutlierDetection? OutlierDetection { get; set; }

    [JsonPropertyName("limits")]
    public RouteLimits? Limits { get; set; }

    [JsonPropertyName("rateLimit")]
    public RateLimit? RateLimit { get; set; }
}

/// <summary>Values of <see cref="Route.Balancing"/>.</summary>
public static class BalancingPolicies
{
    public const string PowerOfTwoChoices = "PowerOfTwoChoices";
    public const string LeastRequests = "LeastRequests";
    public const string RoundRobin = "RoundRobin";
    public const string Random = "Random";

    /// <summary>The same replica for the same <see cref="Route.ConsistentHash"/>; few move when replicas come or go.</summary>
    public const string ConsistentHash = "ConsistentHash";
}
