using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

internal static class ReplicaRules
{
    public static void Check(KindRuleContext context)
    {
        if (context.Resource.Object("spec") is not { } spec || !context.IsNew("spec"))
        {
            return;
        }

        if (spec.Object("template") is { } template)
        {
            TemplateRules.Check(template, "spec.template", context.Errors);
        }

        CheckBinding(spec, context.Errors);
        if (context.Old.Object("spec") is { } old)
        {
            CheckUnchanged(spec, old, context.Errors);
        }
    }

    /// <summary>Host and port come together, in one write.</summary>
    private static void CheckBinding(JsonObject spec, FieldErrors errors)
    {
        if (spec.ContainsKey("hostName") && !spec.ContainsKey("hostPort"))
        {
            errors.Add(FieldError.Required("spec.hostPort", "a replica that is bound has a port"));
        }
        else if (spec.ContainsKey("hostPort") && !spec.ContainsKey("hostName"))
        {
            errors.Add(FieldError.Required("spec.hostName", "a port belongs to a host"));
        }
    }

    private static void CheckUnchanged(JsonObject spec, JsonObject old, FieldErrors errors)
    {
        foreach (var name in (ReadOnlySpan<string>)["appName", "revision"])
        {
            if (!JsonNode.DeepEquals(spec[name], old[name]))
            {
                errors.Add(FieldError.Invalid("spec." + name, spec[name], Fields.Immutable));
            }
        }

        // Without its value, which is long and says nothing.
        if (!JsonNode.DeepEquals(spec["template"], old["template"]))
        {
            errors.Add(FieldError.Invalid("spec.template", Fields.Immutable));
        }

        foreach (var name in (ReadOnlySpan<string>)["hostName", "hostPort"])
        {
            if (old.ContainsKey(name) && !JsonNode.DeepEquals(spec[name], old[name]))
            {
                errors.Add(FieldError.Invalid("spec." + name, spec[name], "field is immutable once set"));
            }
        }
    }
}
