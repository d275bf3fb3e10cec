using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Rules of Secrets. No message repeats a value.</summary>
internal static class SecretRules
{
    /// <summary>Keys that a type cannot do without.</summary>
    private static readonly Dictionary<string, string[]> RequiredKeys = new(StringComparer.Ordinal)
    {
        ["kubernetes.io/tls"] = ["tls.crt", "tls.key"],
        ["kubernetes.io/ssh-auth"] = ["ssh-privatekey"],
        ["kubernetes.io/dockerconfigjson"] = [".dockerconfigjson"],
        ["kubernetes.io/dockercfg"] = [".dockercfg"],
    };

    /// <summary>Moves <c>stringData</c> into <c>data</c>, in place, which a read then shows; its keys go before those of data.</summary>
    public static void Encode(JsonObject secret)
    {
        if (secret["stringData"] is not JsonObject texts || texts.Any(text => text.Value?.GetValueKind() != JsonValueKind.String))
        {
            return;
        }

        secret.Remove("stringData");
        if (texts.Count == 0)
        {
            return;
        }

        if (secret["data"] is not JsonObject data)
        {
            secret["data"] = data = [];
        }

        foreach (var (key, value) in texts)
        {
            data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value!.GetValue<string>()));
        }
    }

    public static void Check(KindRuleContext context)
    {
        var data = context.Resource.Object("data");
        DataMapRules.CheckKeys(data, "data", context.Errors);
        DataMapRules.CheckSize("data", context.Errors, (data, true));
        DataMapRules.CheckImmutable(context, "data");

        var type = context.Resource.Text("type") ?? "";
        if (context.Old is not null && (context.Old.Text("type") ?? "") != type)
        {
            context.Errors.Add(FieldError.Invalid("type", type, Fields.Immutable));
        }

        foreach (var key in RequiredKeys.GetValueOrDefault(type, []))
        {
            if (data?.ContainsKey(key) != true)
            {
                context.Errors.Add(FieldError.Required($"data[{key}]"));
            }
            else if (key.StartsWith(".dockerc", StringComparison.Ordinal) && !IsJson(data.Text(key)))
            {
                context.Errors.Add(FieldError.Invalid($"data[{key}]", "<secret contents redacted>", "must be a JSON object"));
            }
        }

        if (type == "kubernetes.io/basic-auth" && data?.ContainsKey("username") != true && data?.ContainsKey("password") != true)
        {
            context.Errors.Add(FieldError.Required("data[username]"));
            context.Errors.Add(FieldError.Required("data[password]"));
        }
    }

    private static bool IsJson(string? base64)
    {
        try
        {
            using var document = JsonDocument.Parse(Convert.FromBase64String(base64 ?? ""));
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException)
        {
            return false;
        }
    }
}
