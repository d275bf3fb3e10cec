using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Rules of a WebApp's autoscaling.</summary>
internal static class AutoscalingRules
{
    private const string Path = "spec.autoscaling";

    /// <summary>The field of a target that each type of metric has.</summary>
    private static readonly Dictionary<string, string> TargetOf = new()
    {
        ["cpu"] = "averageUtilization",
        ["memory"] = "averageUtilization",
        ["requestsPerSecond"] = "averageValue",
        ["inFlight"] = "averageValue",
        ["latencyP95"] = "value",
    };

    private const string Prometheus = "prometheus";

    private static readonly string[] TargetFields = ["averageUtilization", "averageValue", "value"];

    public static void Check(JsonObject spec, FieldErrors errors)
    {
        if (spec.Object("autoscaling") is not { } autoscaling)
        {
            return;
        }

        var (least, most) = (autoscaling.Integer("minReplicas"), autoscaling.Integer("maxReplicas"));
        if (least > most)
        {
            errors.Add(FieldError.Invalid(Path + ".maxReplicas", most, string.Create(CultureInfo.InvariantCulture, $"must be at least minReplicas, {least}")));
        }

        if (least == 0 && spec.Object("route") is null && !autoscaling.Items("metrics").Any(metric => (metric.Item as JsonObject).Text("type") == Prometheus))
        {
            errors.Add(FieldError.Invalid(Path + ".minReplicas", least, "0 needs a spec.route or a metric of prometheus: without it nobody could ask for the app, and it would never come back"));
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (item, index) in autoscaling.Items("metrics"))
        {
            CheckMetric(spec, item as JsonObject, $"{Path}.metrics[{index}]", seen, errors);
        }

        foreach (var (item, index) in autoscaling.Items("schedules"))
        {
            CheckSchedule((JsonObject)item!, most, $"{Path}.schedules[{index}]", errors);
        }
    }

    /// <summary>Why nobody may set how many replicas there are; null when anybody may.</summary>
    public static FieldError? WhyNotScaled(JsonObject app) => app.Object("spec").Object("autoscaling") is null
        ? null
        : FieldError.Forbidden("spec.replicas", $"it is left to {Path}: change minReplicas and maxReplicas there, or take it off");

    private static void CheckMetric(JsonObject spec, JsonObject? metric, string path, HashSet<string> seen, FieldErrors errors)
    {
        var type = metric.Text("type");
        if (type == Prometheus)
        {
            CheckPrometheus(metric!, path, errors);
            return;
        }

        if (type is null || !TargetOf.TryGetValue(type, out var field))
        {
            return;
        }

        if (metric?["prometheus"] is not null)
        {
            errors.Add(FieldError.Forbidden(path + ".prometheus", "may only be specified when metric `type` is 'prometheus'"));
        }

        if (!seen.Add(type))
        {
            errors.Add(FieldError.Duplicate(path + ".type", type));
        }

        if (type is "cpu" or "memory")
        {
            if (spec.Object("resources").Object("requests")?[type] is null && spec.Object("resources").Object("limits")?[type] is null)
            {
                errors.Add(FieldError.Required($"spec.resources.requests.{type}", $"{path} is a percentage of it"));
            }
        }
        else if (spec.Object("route") is null)
        {
            errors.Add(FieldError.Invalid(path + ".type", type, "needs a spec.route: it is the proxies that see it"));
        }

        var target = metric.Object("target");
        foreach (var other in TargetFields.Where(name => name != field && target?[name] is not null))
        {
            errors.Add(FieldError.Forbidden($"{path}.target.{other}", $"may not be specified when metric `type` is '{type}'"));
        }

        if (target?[field] is not { } value)
        {
            errors.Add(FieldError.Required($"{path}.target.{field}", $"is needed when metric `type` is '{type}'"));
        }
        else if (field != "averageUtilization" && TemplateRules.CheckQuantity(value, $"{path}.target.{field}", errors) == 0)
        {
            errors.Add(FieldError.Invalid($"{path}.target.{field}", value, "must be greater than 0"));
        }
    }

    private static void CheckPrometheus(JsonObject metric, string path, FieldErrors errors)
    {
        if (metric.Object("prometheus") is not { } query)
        {
            errors.Add(FieldError.Required(path + ".prometheus", "address and query are needed when metric `type` is 'prometheus'"));
        }
        else if (!Uri.TryCreate(query.Text("address"), UriKind.Absolute, out var address) || address.UserInfo.Length > 0)
        {
            errors.Add(FieldError.Invalid(path + ".prometheus.address", "must be a URL without a login, such as http://prometheus.example.org:9090"));
        }

        var target = metric.Object("target");
        if (target?["averageUtilization"] is not null)
        {
            errors.Add(FieldError.Forbidden(path + ".target.averageUtilization", "may not be specified when metric `type` is 'prometheus'"));
        }

        if (target?["value"] is null == target?["averageValue"] is null)
        {
            errors.Add(FieldError.Required(path + ".target.value", "one of value and averageValue is needed when metric `type` is 'prometheus'"));
        }

        foreach (var field in TargetFields[1..])
        {
            if (TemplateRules.CheckQuantity(target?[field], $"{path}.target.{field}", errors) == 0)
            {
                errors.Add(FieldError.Invalid($"{path}.target.{field}", target?[field], "must be greater than 0"));
            }
        }
    }

    private static void CheckSchedule(JsonObject item, long? most, string path, FieldErrors errors)
    {
        AutoscalingSchedule schedule = new() { Start = item.Text("start") ?? "", End = item.Text("end") ?? "", TimeZone = item.Text("timeZone") };
        if (schedule.Fault is { } fault)
        {
            errors.Add(FieldError.Invalid($"{path}.{fault.Field}", item[fault.Field], fault.Problem));
        }

        if (item.Integer("minReplicas") is { } least && least > most)
        {
            errors.Add(FieldError.Invalid(path + ".minReplicas", least, string.Create(CultureInfo.InvariantCulture, $"must not be more than maxReplicas, {most}")));
        }
    }
}
