using System.Globalization;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Rules of a WebApp's autoscaling.</summary>
internal static class AutoscalingRules
{
    private const string Path = "spec.autoscaling";

    /// <summary>The field of a target that each type of metric has.</summary>
    private static readonly Dictionary<string, string> TargetOf = new()
    {
        ["requestsPerSecond"] = "averageValue",
        ["inFlight"] = "averageValue",
        ["latencyP95"] = "value",
    };

    private static readonly string[] TargetFields = ["averageValue", "value"];

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

        if (least == 0 && spec.Object("route") is null)
        {
            errors.Add(FieldError.Invalid(Path + ".minReplicas", least, "0 needs a spec.route: without it nobody could ask for the app, and it would never come back"));
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (item, index) in autoscaling.Items("metrics"))
        {
            CheckMetric(spec, item as JsonObject, $"{Path}.metrics[{index}]", seen, errors);
        }
    }

    /// <summary>Why nobody may set how many replicas there are; null when anybody may.</summary>
    public static FieldError? WhyNotScaled(JsonObject app) => app.Object("spec").Object("autoscaling") is null
        ? null
        : FieldError.Forbidden("spec.replicas", $"it is left to {Path}: change minReplicas and maxReplicas there, or take it off");

    private static void CheckMetric(JsonObject spec, JsonObject? metric, string path, HashSet<string> seen, FieldErrors errors)
    {
        if (metric.Text("type") is not { } type || !TargetOf.TryGetValue(type, out var field))
        {
            return;
        }

        if (!seen.Add(type))
        {
            errors.Add(FieldError.Duplicate(path + ".type", type));
        }

        if (spec.Object("route") is null)
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
        else if (TemplateRules.CheckQuantity(value, $"{path}.target.{field}", errors) == 0)
        {
            errors.Add(FieldError.Invalid($"{path}.target.{field}", value, "must be greater than 0"));
        }
    }
}
