using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Schema.Kinds;

internal static class WebAppRules
{
    public static void Check(KindRuleContext context)
    {
        if (context.Resource.Object("spec") is not { } spec || !context.IsNew("spec"))
        {
            return;
        }

        TemplateRules.Check(spec, "spec", context.Errors);
        CheckRollout(spec, context.Errors);
        CheckRoute(spec.Object("route"), context.Errors);
        RouteRules.CheckProbes(spec, context.Errors);
        RoutePolicyRules.Check(spec.Object("route"), context.Errors);
        TcpRouteRules.Check(spec, context.Errors);
        AutoscalingRules.Check(spec, context.Errors);
        CheckDisruption(spec.Object("disruption"), context.Errors);
        PlacementRules.Check(spec.Object("placement"), context.Errors);
    }

    private static void CheckRollout(JsonObject spec, FieldErrors errors)
    {
        const string Limits = "spec.strategy.rollingUpdate";
        var strategy = spec.Object("strategy");
        if (strategy.Object("rollingUpdate") is { } limits)
        {
            if (strategy.Text("type") == "Recreate")
            {
                errors.Add(FieldError.Forbidden(Limits, "may not be specified when strategy `type` is 'Recreate'"));
            }
            else if (IsZero(limits["maxSurge"]) && IsZero(limits["maxUnavailable"]))
            {
                errors.Add(FieldError.Invalid(Limits + ".maxUnavailable", limits["maxUnavailable"], "may not be 0 when `maxSurge` is 0"));
            }
        }

        CheckCanary(strategy, errors);
        if (spec.Integer("progressDeadlineSeconds") is { } deadline && spec.Integer("minReadySeconds") >= deadline)
        {
            errors.Add(FieldError.Invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
        }

        static bool IsZero(JsonNode? limit) => limit?.ToString() is "0" or "0%" or "00%";
    }

    private static void CheckCanary(JsonObject? strategy, FieldErrors errors)
    {
        const string Canary = "spec.strategy.canary";
        var type = strategy.Text("type");
        if (strategy.Object("canary") is not { } canary)
        {
            if (type == "Canary")
            {
                errors.Add(FieldError.Required(Canary, "steps are needed when strategy `type` is 'Canary'"));
            }

            return;
        }

        if (type != "Canary")
        {
            errors.Add(FieldError.Forbidden(Canary, "may only be specified when strategy `type` is 'Canary'"));
        }

        long? before = 0;
        foreach (var (item, index) in canary.Items("steps"))
        {
            var weight = (item as JsonObject).Integer("weight");
            if (weight <= before)
            {
                errors.Add(FieldError.Invalid($"{Canary}.steps[{index}].weight", weight, $"must be greater than that of the step before, {before}"));
            }

            before = weight;
        }
    }

    private static void CheckDisruption(JsonObject? disruption, FieldErrors errors)
    {
        if (disruption?["minAvailable"] is not null && disruption["maxUnavailable"] is { } both)
        {
            errors.Add(FieldError.Invalid("spec.disruption.maxUnavailable", both, "minAvailable and maxUnavailable cannot be both set"));
        }
    }

    private static void CheckRoute(JsonObject? route, FieldErrors errors)
    {
        CheckHosts(route, "spec.route", errors);
        RouteRules.Check(route, "spec.route", errors);

        // Clients resolve these before they ask, so that such a path never comes.
        if (route.Text("path") is { } path && path.Split('/').Any(segment => segment is "." or ".."))
        {
            errors.Add(FieldError.Invalid("spec.route.path", path, "must not have the segments . or .."));
        }
    }

    /// <summary>Rules of the host names of a route or a redirect.</summary>
    internal static void CheckHosts(JsonObject? owner, string owned, FieldErrors errors)
    {
        foreach (var (item, index) in owner.Items("hosts"))
        {
            var host = item!.GetValue<string>();
            var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
            if (name.Split('.').Any(label => label.Length > LabelNames.MaxLabelLength))
            {
                errors.Add(FieldError.Invalid(
                    $"{owned}.hosts[{index}]", host, $"each part between dots may have at most {LabelNames.MaxLabelLength} characters"));
            }
        }
    }
}
