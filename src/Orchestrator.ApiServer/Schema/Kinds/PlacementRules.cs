using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Rules of a WebApp's wishes for hosts.</summary>
internal static class PlacementRules
{
    private const string Path = "spec.placement";
    private const string Required = "requiredDuringSchedulingIgnoredDuringExecution";
    private const string Preferred = "preferredDuringSchedulingIgnoredDuringExecution";

    public static void Check(JsonObject? placement, FieldErrors errors)
    {
        CheckLabels(placement.Object("hostSelector"), Path + ".hostSelector", errors);
        foreach (var (item, index) in placement.Items("tolerations"))
        {
            CheckToleration(item as JsonObject, $"{Path}.tolerations[{index}]", errors);
        }

        foreach (var (item, index) in placement.Items("spread"))
        {
            CheckKey(item as JsonObject, "topologyKey", $"{Path}.spread[{index}]", errors);
        }

        CheckHostAffinity(placement.Object("affinity").Object("hostAffinity"), Path + ".affinity.hostAffinity", errors);
        CheckAppAntiAffinity(placement.Object("affinity").Object("appAntiAffinity"), Path + ".affinity.appAntiAffinity", errors);
    }

    private static void CheckHostAffinity(JsonObject? affinity, string path, FieldErrors errors)
    {
        foreach (var (item, index) in affinity.Object(Required).Items("hostSelectorTerms"))
        {
            CheckExpressions(item as JsonObject, $"{path}.{Required}.hostSelectorTerms[{index}]", errors);
        }

        foreach (var (item, index) in affinity.Items(Preferred))
        {
            CheckExpressions((item as JsonObject).Object("preference"), $"{path}.{Preferred}[{index}].preference", errors);
        }
    }

    private static void CheckAppAntiAffinity(JsonObject? affinity, string path, FieldErrors errors)
    {
        foreach (var (item, index) in affinity.Items(Required))
        {
            CheckAppTerm(item as JsonObject, $"{path}.{Required}[{index}]", errors);
        }

        foreach (var (item, index) in affinity.Items(Preferred))
        {
            CheckAppTerm((item as JsonObject).Object("appAffinityTerm"), $"{path}.{Preferred}[{index}].appAffinityTerm", errors);
        }
    }

    private static void CheckAppTerm(JsonObject? term, string path, FieldErrors errors)
    {
        CheckKey(term, "topologyKey", path, errors);
        var selector = term.Object("labelSelector");
        CheckLabels(selector.Object("matchLabels"), path + ".labelSelector.matchLabels", errors);
        CheckExpressions(selector, path + ".labelSelector", errors);
        foreach (var (item, index) in term.Items("namespaces"))
        {
            foreach (var fault in LabelNames.CheckDnsLabel(item!.GetValue<string>()))
            {
                errors.Add(FieldError.Invalid($"{path}.namespaces[{index}]", item, fault));
            }
        }
    }

    private static void CheckExpressions(JsonObject? holder, string path, FieldErrors errors)
    {
        foreach (var (item, index) in holder.Items("matchExpressions"))
        {
            CheckExpression(item as JsonObject, $"{path}.matchExpressions[{index}]", errors);
        }
    }

    private static void CheckExpression(JsonObject? expression, string path, FieldErrors errors)
    {
        CheckKey(expression, "key", path, errors);
        var values = expression.Items("values").Select(value => value.Item!.GetValue<string>()).ToList();
        switch (expression.Text("operator"))
        {
            case "In" or "NotIn" when values.Count == 0:
                errors.Add(FieldError.Required(path + ".values", "must be specified when `operator` is 'In' or 'NotIn'"));
                break;
            case "Exists" or "DoesNotExist" when values.Count > 0:
                errors.Add(FieldError.Forbidden(path + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
                break;
            case "Gt" or "Lt" when values.Count != 1:
                errors.Add(FieldError.Required(path + ".values", "must be specified single value when `operator` is 'Lt' or 'Gt'"));
                break;
            case "Gt" or "Lt" when !long.TryParse(values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _):
                errors.Add(FieldError.Invalid(path + ".values[0]", values[0], "for 'Gt', 'Lt' operators, the value must be an integer"));
                break;
            case "In" or "NotIn":
                for (var i = 0; i < values.Count; i++)
                {
                    CheckValue(values[i], $"{path}.values[{i}]", errors);
                }

                break;
        }
    }

    private static void CheckToleration(JsonObject? toleration, string path, FieldErrors errors)
    {
        var (key, operation, value) = (toleration.Text("key"), toleration.Text("operator"), toleration.Text("value"));
        if (string.IsNullOrEmpty(key))
        {
            if (operation != "Exists")
            {
                errors.Add(FieldError.Invalid(path + ".operator", operation, "operator must be Exists when `key` is empty, which means \"match all values and all keys\""));
            }
        }
        else
        {
            CheckKey(toleration, "key", path, errors);
        }

        if (operation == "Exists" && !string.IsNullOrEmpty(value))
        {
            errors.Add(FieldError.Invalid(path + ".operator", value, "value must be empty when `operator` is 'Exists'"));
        }
    }

    private static void CheckLabels(JsonObject? labels, string path, FieldErrors errors)
    {
        foreach (var (key, value) in labels ?? [])
        {
            foreach (var fault in LabelNames.CheckKey(key))
            {
                errors.Add(FieldError.Invalid(path, key, fault));
            }

            CheckValue(value?.GetValue<string>() ?? "", path, errors);
        }
    }

    private static void CheckValue(string value, string path, FieldErrors errors)
    {
        foreach (var fault in LabelNames.CheckValue(value))
        {
            errors.Add(FieldError.Invalid(path, value, fault));
        }
    }

    /// <summary>A member that is a label key.</summary>
    private static void CheckKey(JsonObject? holder, string member, string path, FieldErrors errors)
    {
        if (holder.Text(member) is not { } key)
        {
            return;
        }

        foreach (var fault in LabelNames.CheckKey(key))
        {
            errors.Add(FieldError.Invalid($"{path}.{member}", key, fault));
        }
    }
}
