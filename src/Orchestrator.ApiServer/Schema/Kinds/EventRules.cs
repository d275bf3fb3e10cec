namespace Orchestrator.ApiServer.Schema.Kinds;

internal static class EventRules
{
    public static void Check(KindRuleContext context)
    {
        var about = context.Resource.Object("involvedObject").Text("namespace");
        var own = context.Resource.Object("metadata").Text("namespace");

        // About something cluster-wide it may be anywhere.
        if (!string.IsNullOrEmpty(about) && about != own)
        {
            context.Errors.Add(FieldError.Invalid("involvedObject.namespace", about, "does not match event.namespace"));
        }
    }
}
