using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>What a route for TCP must and may say: nothing that only a request could have.</summary>
internal static class TcpRouteRules
{
    private const string Path = "spec.route";
    private const string OnlyHttp = "may not be specified when `protocol` is 'tcp'";

    /// <summary>Each field of a route, or of a part of it, that is about requests, and why a connection has no such thing.</summary>
    private static readonly (string? Part, string Field, string Why)[] OfRequests =
    [
        (null, "hosts", "a connection names no host: the app is told from others by its port"),
        (null, "match", "a connection has no methods and headers"),
        (null, "rewrite", "bytes are passed on as they come"),
        (null, "requestHeaders", "bytes are passed on as they come"),
        (null, "responseHeaders", "bytes are passed on as they come"),
        (null, "redirects", "a connection cannot be sent elsewhere"),
        (null, "consistentHash", "a connection has no headers and cookies; `balancing` ConsistentHash goes by the client's address"),
        (null, "stickiness", "a connection has no cookies; use `balancing` ConsistentHash, which goes by the client's address"),
        (null, "outlierDetection", "nobody but the app knows which connections went well; replicas that take none are avoided anyhow"),
        ("timeouts", "requestMilliseconds", "a connection has no answer to wait for; it is bounded by idleSeconds"),
        ("timeouts", "tryMilliseconds", "a connection has no answer to wait for; it is bounded by idleSeconds"),
        ("limits", "requestBytes", "a connection has no request"),
        ("rateLimit", "header", "a connection has no headers"),
        ("tls", "acme", "certificates are ordered for hosts; name the Secret of an app that orders one in secretName"),
        ("tls", "hsts", "it is for browsers"),
    ];

    public static void Check(JsonObject spec, FieldErrors errors)
    {
        if (spec.Object("route") is not { } route || route.Text("protocol") != ReplicaProtocols.Tcp)
        {
            return;
        }

        if (route["port"] is null)
        {
            errors.Add(FieldError.Required(Path + ".port", "a port of the app's own is needed when `protocol` is 'tcp': nothing else tells its connections from others"));
        }

        foreach (var (part, field, why) in OfRequests)
        {
            if ((part is null ? route : route.Object(part))?[field] is not null)
            {
                errors.Add(FieldError.Forbidden($"{Path}.{(part is null ? "" : part + ".")}{field}", $"{OnlyHttp}: {why}"));
            }
        }

        CheckDefaulted(route, errors);
        foreach (var (item, index) in spec.Object("autoscaling").Items("metrics"))
        {
            if ((item as JsonObject).Text("type") == MetricTypes.LatencyP95)
            {
                errors.Add(FieldError.Forbidden($"spec.autoscaling.metrics[{index}].type", $"latencyP95 {OnlyHttp}: a connection has no answer to wait for; use inFlight, the connections that are open"));
            }
        }
    }

    /// <summary>Fields that the schema gives a value if the user gave none: only another one was meant.</summary>
    private static void CheckDefaulted(JsonObject route, FieldErrors errors)
    {
        Refuse("path", route.Text("path"), Route.DefaultPath);
        Refuse("pathType", route.Text("pathType"), PathTypes.Prefix);
        Refuse("rateLimit.by", route.Object("rateLimit").Text("by") == RateLimitKeys.Header ? RateLimitKeys.Header : null, null);
        if (route.Object("tls")?["redirect"]?.GetValueKind() == JsonValueKind.False)
        {
            errors.Add(FieldError.Forbidden(Path + ".tls.redirect", $"{OnlyHttp}: a port with TLS takes no other connections"));
        }

        void Refuse(string field, string? value, string? usual)
        {
            if (value is not null && value != usual)
            {
                errors.Add(FieldError.Forbidden($"{Path}.{field}", $"{OnlyHttp}: a connection has no paths and headers"));
            }
        }
    }
}
