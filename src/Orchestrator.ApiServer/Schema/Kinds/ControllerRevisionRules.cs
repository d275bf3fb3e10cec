using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

internal static class ControllerRevisionRules
{
    public static void Check(KindRuleContext context)
    {
        if (context.Resource.Integer("revision") is < 0 and var revision)
        {
            context.Errors.Add(FieldError.Invalid("revision", revision, "must be greater than or equal to 0"));
        }

        if (context.Old is { } old && !JsonNode.DeepEquals(old["data"], context.Resource["data"]))
        {
            context.Errors.Add(FieldError.Invalid("data", Fields.Immutable));
        }
    }
}
