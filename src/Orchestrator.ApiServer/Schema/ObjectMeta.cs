using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Schema;

/// <summary>The rules of <c>metadata</c>, the same for all kinds (Kubernetes' <c>ValidateObjectMeta</c>).</summary>
public static class ObjectMeta
{
    /// <summary>Bytes of all annotations of an object together. Kubernetes' own limit.</summary>
    private const int MaxAnnotationsSize = 256 * 1024;

    private static readonly Lazy<JsonObject> Source = new(() => BuiltinSchemas.Read("ObjectMeta"));
    private static readonly Lazy<StructuralSchema> Parsed = new(() => StructuralSchema.Parse(Source.Value));

    public static StructuralSchema Schema => Parsed.Value;

    /// <summary>As an OpenAPI v3 schema. Shared: not to be changed.</summary>
    public static JsonObject OpenApiSchema => Source.Value;

    /// <summary>Checks names, labels, annotations, finalizers and owners. That name and namespace fit the URL is for the caller.</summary>
    /// <param name="isNamespace">Names of namespaces are labels, of others subdomains.</param>
    public static void Check(JsonObject resource, bool isNamespaced, bool isNamespace, FieldErrors errors)
    {
        if (resource["metadata"] is not JsonObject metadata)
        {
            errors.Add(FieldError.Required("metadata.name", "name or generateName is required"));
            return;
        }

        var before = errors.Count;
        SchemaValidation.Validate(metadata, "metadata", Schema, errors);
        if (errors.Count > before)
        {
            // What follows relies on the types.
            return;
        }

        CheckNames(metadata, isNamespaced, isNamespace, errors);
        CheckLabels(metadata, errors);
        CheckAnnotations(metadata, errors);
        CheckFinalizers(metadata, errors);
        CheckOwners(metadata, errors);
    }

    private static void CheckNames(JsonObject metadata, bool isNamespaced, bool isNamespace, FieldErrors errors)
    {
        var (name, prefix) = (Text(metadata["name"]), Text(metadata["generateName"]));
        if (name.Length > 0)
        {
            foreach (var fault in isNamespace ? LabelNames.CheckDnsLabel(name) : LabelNames.CheckSubdomain(name))
            {
                errors.Add(FieldError.Invalid("metadata.name", name, fault));
            }
        }
        else if (prefix.Length == 0)
        {
            errors.Add(FieldError.Required("metadata.name", "name or generateName is required"));
        }

        if (prefix.Length > 0)
        {
            // A prefix may end in what a name may not, since more follows.
            var trimmed = prefix.TrimEnd('-', '.');
            foreach (var fault in LabelNames.CheckSubdomain(trimmed.Length == 0 ? prefix : trimmed))
            {
                errors.Add(FieldError.Invalid("metadata.generateName", prefix, fault));
            }
        }

        var space = Text(metadata["namespace"]);
        if (isNamespaced && space.Length > 0)
        {
            foreach (var fault in LabelNames.CheckDnsLabel(space))
            {
                errors.Add(FieldError.Invalid("metadata.namespace", space, fault));
            }
        }
        else if (!isNamespaced && space.Length > 0)
        {
            errors.Add(FieldError.Forbidden("metadata.namespace", "not allowed on this type"));
        }
    }

    private static void CheckLabels(JsonObject metadata, FieldErrors errors)
    {
        foreach (var (key, value) in metadata["labels"] as JsonObject ?? [])
        {
            foreach (var fault in LabelNames.CheckKey(key))
            {
                errors.Add(FieldError.Invalid("metadata.labels", key, fault));
            }

            foreach (var fault in LabelNames.CheckValue(Text(value)))
            {
                errors.Add(FieldError.Invalid("metadata.labels", Text(value), fault));
            }
        }
    }

    private static void CheckAnnotations(JsonObject metadata, FieldErrors errors)
    {
        long size = 0;
        foreach (var (key, value) in metadata["annotations"] as JsonObject ?? [])
        {
            // Keys of annotations may be upper case in their domain part.
            foreach (var fault in LabelNames.CheckKey(key.ToLowerInvariant()))
            {
                errors.Add(FieldError.Invalid("metadata.annotations", key, fault));
            }

            size += key.Length + Text(value).Length;
        }

        if (size > MaxAnnotationsSize)
        {
            errors.Add(FieldError.TooLong("metadata.annotations", MaxAnnotationsSize));
        }
    }

    private static void CheckFinalizers(JsonObject metadata, FieldErrors errors)
    {
        var index = 0;
        foreach (var finalizer in metadata["finalizers"] as JsonArray ?? [])
        {
            var text = Text(finalizer);
            foreach (var fault in LabelNames.CheckKey(text))
            {
                errors.Add(FieldError.Invalid($"metadata.finalizers[{index}]", text, fault));
            }

            index++;
        }
    }

    private static void CheckOwners(JsonObject metadata, FieldErrors errors)
    {
        var (index, controllers) = (0, 0);
        foreach (var owner in (metadata["ownerReferences"] as JsonArray ?? []).OfType<JsonObject>())
        {
            foreach (var field in (ReadOnlySpan<string>)["apiVersion", "kind", "name", "uid"])
            {
                if (Text(owner[field]).Length == 0)
                {
                    errors.Add(FieldError.Invalid($"metadata.ownerReferences[{index}].{field}", "", $"{field} must not be empty"));
                }
            }

            controllers += owner["controller"]?.GetValueKind() == JsonValueKind.True ? 1 : 0;
            index++;
        }

        if (controllers > 1)
        {
            errors.Add(FieldError.Invalid("metadata.ownerReferences", "", "Only one reference can have Controller set to true."));
        }
    }

    private static string Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : "";
}
