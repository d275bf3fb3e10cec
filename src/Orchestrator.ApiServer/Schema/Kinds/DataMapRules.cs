using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Rules that Secrets and ConfigMaps share.</summary>
internal static partial class DataMapRules
{
    /// <summary>Bytes of all values of one object. Kubernetes' own limit.</summary>
    private const int MaxSize = 1024 * 1024;

    private const int MaxKeyLength = 253;

    public static void CheckKeys(JsonObject? data, string field, FieldErrors errors)
    {
        foreach (var (key, _) in data ?? [])
        {
            if (key.Length > MaxKeyLength || key is "." or ".." || key.StartsWith("..", StringComparison.Ordinal) || !Key().IsMatch(key))
            {
                errors.Add(FieldError.Invalid(
                    $"{field}[{key}]",
                    key,
                    "a valid config key must consist of at most 253 alphanumeric characters, '-', '_' or '.', and must not start with '..' "
                    + "(e.g. 'key.name', or 'KEY_NAME', or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"));
            }
        }
    }

    /// <summary>In base64, three bytes are four characters.</summary>
    public static void CheckSize(string field, FieldErrors errors, params ReadOnlySpan<(JsonObject? Data, bool InBase64)> parts)
    {
        long size = 0;
        foreach (var (data, inBase64) in parts)
        {
            foreach (var (_, value) in data ?? [])
            {
                var length = value is null ? 0 : System.Text.Encoding.UTF8.GetByteCount(value.GetValue<string>());
                size += inBase64 ? length / 4 * 3 : length;
            }
        }

        if (size > MaxSize)
        {
            errors.Add(FieldError.TooLong(field, MaxSize));
        }
    }

    /// <summary>Once set, <c>immutable</c> stays, and the data with it.</summary>
    public static void CheckImmutable(KindRuleContext context, params ReadOnlySpan<string> fields)
    {
        if (!context.Old.Flag("immutable"))
        {
            return;
        }

        if (!context.Resource.Flag("immutable"))
        {
            context.Errors.Add(FieldError.Forbidden("immutable", "field is immutable when `immutable` is set"));
        }

        foreach (var field in fields)
        {
            if (!JsonNode.DeepEquals(context.Old![field] ?? new JsonObject(), context.Resource[field] ?? new JsonObject()))
            {
                context.Errors.Add(FieldError.Forbidden(field, "field is immutable when `immutable` is set"));
            }
        }
    }

    [GeneratedRegex("^[-._a-zA-Z0-9]+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Key();
}
