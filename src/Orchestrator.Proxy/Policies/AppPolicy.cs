using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Yarp.ReverseProxy.Forwarder;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Policies;

/// <summary>What an app's route asks of the proxy beside its claims, ready for use by every request. Never changed; swapped whole.</summary>
internal sealed partial class AppPolicy
{
    private readonly string _text;

    /// <param name="random">Thread-safe.</param>
    public AppPolicy(Route route, Random random, TimeProvider time)
    {
        (Route, _text) = (route, TextOf(route));
        Balancer = Balancers.Create(route.Balancing, random);
        HashKey = route.Balancing == BalancingPolicies.ConsistentHash ? new RequestKey(route.ConsistentHash) : null;
        PrefersZone = route is { TrafficDistribution: TrafficDistributions.PreferSameZone, Balancing: not BalancingPolicies.ConsistentHash };
        Sticky = route.Stickiness is { } stickiness ? new StickyCookie(stickiness, route.Path ?? Route.DefaultPath) : null;
        SlowStart = TimeSpan.FromSeconds(route.SlowStartSeconds ?? 0);
        RequestTimeout = Milliseconds(route.Timeouts?.RequestMilliseconds);
        TryTimeout = Milliseconds(route.Timeouts?.TryMilliseconds);
        IdleTimeout = route.Timeouts?.IdleSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        Outliers = new OutlierRules(route.OutlierDetection ?? new());
        MaxPerReplica = route.Limits?.RequestsPerReplica ?? int.MaxValue;
        QueueLength = route.Limits?.QueueLength ?? RouteLimits.DefaultQueueLength;
        QueueTime = Milliseconds(route.Limits?.QueueMilliseconds ?? RouteLimits.DefaultQueueMilliseconds)!.Value;
        MaxRequestBytes = route.Limits?.RequestBytes;
        Rules = RouteRules.Of(route) is { } rules ? new RequestRules(rules) : null;
        Rate = route.RateLimit is { RequestsPerSecond: > 0 } limit ? new RateLimiter(limit, time) : null;
    }

    public Route Route { get; }

    public IBalancer Balancer { get; }

    /// <summary>Null: requests are all alike to the balancer.</summary>
    public RequestKey? HashKey { get; }

    /// <summary>Whether replicas of the proxy's own zone go first.</summary>
    public bool PrefersZone { get; }

    public StickyCookie? Sticky { get; }

    /// <summary>Zero: none.</summary>
    public TimeSpan SlowStart { get; }

    /// <summary>Until an answer begins, all tries together. Null: no limit.</summary>
    public TimeSpan? RequestTimeout { get; }

    /// <summary>Until an answer begins, of one try. Null: no limit.</summary>
    public TimeSpan? TryTimeout { get; }

    /// <summary>Null: the proxy's own.</summary>
    public TimeSpan? IdleTimeout { get; }

    public OutlierRules Outliers { get; }

    /// <summary>Requests at one replica; <see cref="int.MaxValue"/> without a limit.</summary>
    public int MaxPerReplica { get; }

    public int QueueLength { get; }

    public TimeSpan QueueTime { get; }

    public long? MaxRequestBytes { get; }

    public RateLimiter? Rate { get; }

    /// <summary>Matches, rewrites, headers and redirects; null: none.</summary>
    public RequestRules? Rules { get; }

    /// <summary>Replicas speak HTTP/1.1, and any connection to them serves any client.</summary>
    public bool IsPlain => Route is { Protocol: null or ReplicaProtocols.Http1, ProxyProtocol: null };

    /// <summary>The forwarder's settings for the app, once they were asked for.</summary>
    public ForwarderRequestConfig? Forwarding { get; set; }

    /// <summary>Whether it asks for the very same: then what it counts is to go on.</summary>
    public bool Is(Route route) => ReferenceEquals(route, Route) || TextOf(route) == _text;

    /// <summary>Whether two routes ask for the same, claims and all.</summary>
    public static bool AreSame(Route? one, Route? other) =>
        ReferenceEquals(one, other) || (one is not null && other is not null && TextOf(one) == TextOf(other));

    private static string TextOf(Route route) => JsonSerializer.Serialize(route, RouteJson.Default.Route);

    private static TimeSpan? Milliseconds(int? value) => value is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;

    [JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonSerializable(typeof(Route))]
    private sealed partial class RouteJson : JsonSerializerContext;
}
