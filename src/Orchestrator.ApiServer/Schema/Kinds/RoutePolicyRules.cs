using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>What the schema cannot say of how an app's requests are balanced and bounded.</summary>
internal static class RoutePolicyRules
{
    private const string Route = "spec.route";

    public static void Check(JsonObject? route, FieldErrors errors)
    {
        CheckHash(route, errors);
        CheckDistribution(route, errors);
        CheckTimeouts(route.Object("timeouts"), errors);
        CheckLimits(route.Object("limits"), errors);
        CheckRate(route.Object("rateLimit"), errors);
    }

    private static void CheckHash(JsonObject? route, FieldErrors errors)
    {
        if (route.Object("consistentHash") is not { } hash)
        {
            return;
        }

        if (route.Text("balancing") != "ConsistentHash")
        {
            errors.Add(FieldError.Forbidden(Route + ".consistentHash", "may only be specified when `balancing` is 'ConsistentHash'"));
        }

        if (hash["header"] is not null && hash["cookie"] is { } both)
        {
            errors.Add(FieldError.Invalid(Route + ".consistentHash.cookie", both, "header and cookie cannot be both set"));
        }
    }

    private static void CheckDistribution(JsonObject? route, FieldErrors errors)
    {
        if (route.Text("balancing") == "ConsistentHash" && route?["trafficDistribution"] is not null)
        {
            errors.Add(FieldError.Forbidden(
                Route + ".trafficDistribution", "may not be specified when `balancing` is 'ConsistentHash': the same replica for the same key is the same in every zone"));
        }
    }

    private static void CheckTimeouts(JsonObject? timeouts, FieldErrors errors)
    {
        if (timeouts.Integer("requestMilliseconds") is { } whole && timeouts.Integer("tryMilliseconds") is { } one && one > whole)
        {
            errors.Add(FieldError.Invalid(Route + ".timeouts.tryMilliseconds", one, $"must not be greater than requestMilliseconds, {whole}"));
        }
    }

    private static void CheckLimits(JsonObject? limits, FieldErrors errors)
    {
        foreach (var field in new[] { "queueLength", "queueMilliseconds" })
        {
            if (limits?[field] is not null && limits["requestsPerReplica"] is null)
            {
                errors.Add(FieldError.Forbidden($"{Route}.limits.{field}", "may only be specified with `requestsPerReplica`: without it no request waits"));
            }
        }
    }

    private static void CheckRate(JsonObject? rate, FieldErrors errors)
    {
        var byHeader = rate.Text("by") == "Header";
        if (byHeader && rate?["header"] is null)
        {
            errors.Add(FieldError.Required(Route + ".rateLimit.header", "the name of a header is needed when `by` is 'Header'"));
        }
        else if (!byHeader && rate?["header"] is not null)
        {
            errors.Add(FieldError.Forbidden(Route + ".rateLimit.header", "may only be specified when `by` is 'Header'"));
        }
    }
}
