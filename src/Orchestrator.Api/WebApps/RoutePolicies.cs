using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>By what <see cref="BalancingPolicies.ConsistentHash"/> tells requests apart: one of them. Nothing set: the client's address.</summary>
public sealed class ConsistentHash
{
    /// <summary>A request header, such as X-Tenant.</summary>
    [JsonPropertyName("header")]
    public string? Header { get; set; }

    /// <summary>A cookie that the app sets.</summary>
    [JsonPropertyName("cookie")]
    public string? Cookie { get; set; }
}

/// <summary>Keeps a client at the replica that it came to first, for as long as that takes requests, by a cookie of the proxies'.</summary>
public sealed class Stickiness
{
    public const string DefaultCookieName = "orc-replica";

    [JsonPropertyName("cookieName")]
    public string? CookieName { get; set; }

    /// <summary>Seconds that browsers keep it; until they are closed when absent.</summary>
    [JsonPropertyName("maxAgeSeconds")]
    public int? MaxAgeSeconds { get; set; }
}

/// <summary>How long the proxy waits. What has begun to be answered is bounded by <see cref="IdleSeconds"/> alone.</summary>
public sealed class RouteTimeouts
{
    /// <summary>From a request's headers until its answer begins, all tries together; then 504. Default: no limit.</summary>
    [JsonPropertyName("requestMilliseconds")]
    public int? RequestMilliseconds { get; set; }

    /// <summary>
    /// For one replica's answer to begin. Then the next one is asked, if the request may be repeated. Default: no limit.
    /// </summary>
    [JsonPropertyName("tryMilliseconds")]
    public int? TryMilliseconds { get; set; }

    /// <summary>Without a byte in either direction, in streams and WebSockets too. Default 600.</summary>
    [JsonPropertyName("idleSeconds")]
    public int? IdleSeconds { get; set; }
}

/// <summary>When a replica that takes connections is avoided all the same, because it does far worse than the app's others.</summary>
public sealed class OutlierDetection
{
    public const int DefaultConsecutiveErrors = 5;
    public const int DefaultLatencyFactor = 5;
    public const int DefaultBaseEjectionSeconds = 10;
    public const int DefaultMaxEjectedPercent = 50;

    /// <summary>Answers 5xx, or none, one after the other. 0: errors are no reason. Default 5.</summary>
    [JsonPropertyName("consecutiveErrors")]
    public int? ConsecutiveErrors { get; set; }

    /// <summary>Times as slow as the others at the median, until an answer begins. 0: slowness is no reason. Default 5.</summary>
    [JsonPropertyName("latencyFactor")]
    public int? LatencyFactor { get; set; }

    /// <summary>The first time it is avoided; twice, three times, … as long the next times, at most 5 minutes. Default 10.</summary>
    [JsonPropertyName("baseEjectionSeconds")]
    public int? BaseEjectionSeconds { get; set; }

    /// <summary>Of an app's replicas, at most this many at a time; never all. Default 50.</summary>
    [JsonPropertyName("maxEjectedPercent")]
    public int? MaxEjectedPercent { get; set; }
}

/// <summary>What an app takes at most, through each proxy.</summary>
public sealed class RouteLimits
{
    public const int DefaultQueueLength = 100;
    public const int DefaultQueueMilliseconds = 5_000;

    /// <summary>Requests at one replica at a time; more of them wait. Default: no limit.</summary>
    [JsonPropertyName("requestsPerReplica")]
    public int? RequestsPerReplica { get; set; }

    /// <summary>Requests that wait for a replica at a time; further ones are answered 503. Default 100.</summary>
    [JsonPropertyName("queueLength")]
    public int? QueueLength { get; set; }

    /// <summary>How long a request waits before it is answered 503. Default 5,000.</summary>
    [JsonPropertyName("queueMilliseconds")]
    public int? QueueMilliseconds { get; set; }

    /// <summary>Bytes of a request's body; larger ones are answered 413. Default: no limit.</summary>
    [JsonPropertyName("requestBytes")]
    public long? RequestBytes { get; set; }
}

/// <summary>Requests a second that each proxy lets through; what is beyond is answered 429.</summary>
public sealed class RateLimit
{
    [JsonPropertyName("requestsPerSecond")]
    public int RequestsPerSecond { get; set; }

    /// <summary>Requests that may come at once after a pause. Default: as many as a second's.</summary>
    [JsonPropertyName("burst")]
    public int? Burst { get; set; }

    /// <summary><see cref="RateLimitKeys"/>: what has a limit of its own. Default App.</summary>
    [JsonPropertyName("by")]
    public string? By { get; set; }

    /// <summary>For <see cref="RateLimitKeys.Header"/>: each value of it, and requests without it together.</summary>
    [JsonPropertyName("header")]
    public string? Header { get; set; }
}

/// <summary>Values of <see cref="RateLimit.By"/>.</summary>
public static class RateLimitKeys
{
    public const string App = "App";
    public const string Client = "Client";
    public const string Header = "Header";
}
