namespace Orchestrator.ApiServer.Schema.Kinds;

internal static class ConfigMapRules
{
    public static void Check(KindRuleContext context)
    {
        var (data, binary) = (context.Resource.Object("data"), context.Resource.Object("binaryData"));
        DataMapRules.CheckKeys(data, "data", context.Errors);
        DataMapRules.CheckKeys(binary, "binaryData", context.Errors);
        foreach (var (key, _) in binary ?? [])
        {
            if (data?.ContainsKey(key) == true)
            {
                context.Errors.Add(FieldError.Invalid($"data[{key}]", key, "duplicate of key present in binaryData"));
            }
        }

        DataMapRules.CheckSize("data", context.Errors, (data, false), (binary, true));
        DataMapRules.CheckImmutable(context, "data", "binaryData");
    }
}
