using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

internal static class CustomResourceDefinitionRules
{
    public static void Check(KindRuleContext context)
    {
        if (context.Resource.Object("spec") is not { } spec || !context.IsNew("spec"))
        {
            return;
        }

        var (name, expected) = (context.Resource.Object("metadata").Text("name"), $"{spec.Object("names").Text("plural")}.{spec.Text("group")}");
        if (name != expected)
        {
            context.Errors.Add(FieldError.Invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
        }

        var versions = spec.Items("versions").Select(version => version.Item).OfType<JsonObject>().ToList();
        if (versions.Count(version => version.Flag("storage")) != 1)
        {
            context.Errors.Add(FieldError.Invalid("spec.versions", "must have exactly one version marked as storage version"));
        }

        for (var index = 0; index < versions.Count; index++)
        {
            var path = $"spec.versions[{index}].schema.openAPIV3Schema";
            if (versions[index].Object("schema").Object("openAPIV3Schema") is not { } schema)
            {
                context.Errors.Add(FieldError.Required(path, "schemas are required"));
            }
            else if (!StructuralSchema.TryParse(schema, out _, out var error))
            {
                context.Errors.Add(FieldError.Invalid(path, error));
            }
        }
    }
}
