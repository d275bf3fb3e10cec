using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// How requests reach an app through the proxy. Two apps that claim the same port, host, path and match conflict: the older one
/// (creationTimestamp, then namespace and name) keeps it, the other's condition <see cref="ConditionTypes.RouteAccepted"/> says so.
/// </summary>
public sealed class Route
{
    public const string DefaultPath = "/";

    /// <summary>Host names, exact or <c>*.example.org</c>; any host when empty.</summary>
    [JsonPropertyName("hosts")]
    public IList<string>? Hosts { get; set; }

    /// <summary>What <see cref="PathType"/> makes of it. Default "/".</summary>
    [JsonPropertyName("path")]
    public string? Path { get; set; }

    /// <summary><see cref="PathTypes"/>; default Prefix.</summary>
    [JsonPropertyName("pathType")]
    public string? PathType { get; set; }

    /// <summary>Null: requests of any kind.</summary>
    [JsonPropertyName("match")]
    public RouteMatch? Match { get; set; }

    /// <summary>Null: replicas get target and host as the client sent them.</summary>
    [JsonPropertyName("rewrite")]
    public RouteRewrite? Rewrite { get; set; }

    /// <summary>Of requests, on their way to replicas.</summary>
    [JsonPropertyName("requestHeaders")]
    public HeaderEdits? RequestHeaders { get; set; }

    /// <summary>Of replicas' answers; the proxy's own stay as they are.</summary>
    [JsonPropertyName("responseHeaders")]
    public HeaderEdits? ResponseHeaders { get; set; }

    [JsonPropertyName("redirects")]
    public IList<RouteRedirect>? Redirects { get; set; }

    /// <summary>
    /// <see cref="ProxyProtocolVersions"/>: connections to replicas begin with such a header, and serve one client each. Null: they
    /// begin with a request.
    /// </summary>
    [JsonPropertyName("proxyProtocol")]
    public string? ProxyProtocol { get; set; }

    /// <summary>
    /// A listener of the app's own on every proxy, such as 9090; the proxy's shared listener when absent. One that cannot be had is
    /// told in <see cref="ConditionTypes.RouteAccepted"/>.
    /// </summary>
    [JsonPropertyName("port")]
    public int? Port { get; set; }

    /// <summary><see cref="BalancingPolicies"/>; default PowerOfTwoChoices.</summary>
    [JsonPropertyName("balancing")]
    public string? Balancing { get; set; }

    /// <summary><see cref="TrafficDistributions"/>; null: all ready replicas are alike.</summary>
    [JsonPropertyName("trafficDistribution")]
    public string? TrafficDistribution { get; set; }

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

    /// <summary>Null: served without TLS, but for the proxies' own TLS listener, which serves all.</summary>
    [JsonPropertyName("tls")]
    public RouteTls? Tls { get; set; }

    /// <summary><see cref="ReplicaProtocols"/>; default http1.</summary>
    [JsonPropertyName("protocol")]
    public string? Protocol { get; set; }

    /// <summary>Whether connections are passed on as they are: then <see cref="Port"/> is the app's alone, and nothing of HTTP counts.</summary>
    [JsonIgnore]
    public bool IsTcp => Protocol == ReplicaProtocols.Tcp;
}

/// <summary>Values of <see cref="Route.Protocol"/>: what the app's replicas are spoken to in, whatever the client speaks.</summary>
public static class ReplicaProtocols
{
    /// <summary>HTTP/1.1.</summary>
    public const string Http1 = "http1";

    /// <summary>HTTP/2 without TLS, by prior knowledge (RFC 9113, 3.3).</summary>
    public const string H2c = "h2c";

    /// <summary>The same, and <c>grpc-status</c> says whether a request has failed: in metrics, canaries and answers of the proxy.</summary>
    public const string Grpc = "grpc";

    /// <summary>Whatever client and replica speak: bytes are passed on both ways, and not looked at.</summary>
    public const string Tcp = "tcp";
}

/// <summary>Values of <see cref="Route.TrafficDistribution"/>, as a Service of Kubernetes has them.</summary>
public static class TrafficDistributions
{
    /// <summary>
    /// Of a proxy's own zone while that has ready replicas with room (<see cref="RouteLimits.RequestsPerReplica"/>), of any else.
    /// </summary>
    public const string PreferSameZone = "PreferSameZone";
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
