using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema;
using KindRules = Orchestrator.ApiServer.Schema.Kinds.KindRules;

namespace Orchestrator.ApiServer.Rest;

/// <summary>The scale subresource: the replica count of an object in a form (autoscaling/v1 Scale) that is the same for all kinds.</summary>
internal static class Scale
{
    private static readonly Lazy<StructuralSchema> Schema = new(() => SharedSchemas.Parse(SharedSchemas.Scale));

    /// <summary>What a client sends and is sent.</summary>
    public static ResourceDefinition Definition { get; } = new()
    {
        Group = "autoscaling",
        Version = "v1",
        Kind = "Scale",
        ListKind = "ScaleList",
        Plural = "scales",
        Singular = "scale",
        Namespaced = true,
    };

    public static JsonObject Of(ServedResource resource, JsonObject obj)
    {
        var scale = resource.Definition.Scale!;
        var from = Metadata.Of(obj);
        var metadata = new JsonObject();
        foreach (var field in (ReadOnlySpan<string>)["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            Metadata.Set(metadata, field, from[field]);
        }

        var status = new JsonObject { ["replicas"] = Count(obj, scale.StatusReplicasPath) };
        if (scale.LabelSelectorPath is { } path && Find(obj, path) is { } selector && selector.GetValueKind() == JsonValueKind.String)
        {
            status["selector"] = selector.GetValue<string>();
        }

        return new JsonObject
        {
            ["kind"] = Definition.Kind,
            ["apiVersion"] = Definition.ApiVersion,
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["replicas"] = Count(obj, scale.SpecReplicasPath) },
            ["status"] = status,
        };
    }

    /// <summary>Applies to an object what is done to its scale.</summary>
    /// <param name="options">What to do about fields that a Scale does not have.</param>
    public static Outcome<JsonObject> Change(
        ServedResource resource, JsonObject current, Func<JsonObject, Outcome<JsonObject>> change, WriteOptions options)
    {
        var changed = change(Of(resource, current));
        if (changed.Failed)
        {
            return changed.Failure;
        }

        if (Fit(changed.Value, options) is { } refused)
        {
            return refused;
        }

        var name = Metadata.Of(current).Text("name");
        if (Count(changed.Value, ".spec.replicas") is var count && count < 0)
        {
            return Status.Invalid(
                Definition, name, [FieldError.Invalid("spec.replicas", count, "must be greater than or equal to 0")]);
        }

        if (KindRules.WhyNotScaled(resource.Definition.Group, resource.Definition.Kind, current) is { } fault)
        {
            return Status.Invalid(resource.Definition, name, [fault]);
        }

        var next = (JsonObject)current.DeepClone();
        Set(next, resource.Definition.Scale!.SpecReplicasPath, count);

        // Its uid and resourceVersion are the object's: what a client sends of them is a precondition.
        var (sent, metadata) = (Metadata.Of(changed.Value), Metadata.Of(next));
        metadata["uid"] = sent.Text("uid");
        if (sent.Text("resourceVersion") is { Length: > 0 } revision)
        {
            metadata["resourceVersion"] = revision;
        }

        return next;
    }

    /// <summary>Without this a mistyped count would be none, zero replicas, and a misspelt one would be so in silence.</summary>
    private static Status? Fit(JsonObject scale, WriteOptions options)
    {
        // Told, never taken.
        scale.Remove("status");
        if (options.Report(Pruning.Apply(scale, Schema.Value)) is { } strict)
        {
            return strict;
        }

        var errors = new FieldErrors();
        Defaulting.Apply(scale, Schema.Value);
        SchemaValidation.Validate(scale, Schema.Value, errors);
        return errors.Count == 0 ? null : Status.BadRequest($"Scale cannot be read: {errors}");
    }

    private static long Count(JsonObject obj, string path) =>
        Find(obj, path) is { } node && node.GetValueKind() == JsonValueKind.Number && long.TryParse(node.ToJsonString(), out var count) ? count : 0;

    private static JsonNode? Find(JsonObject obj, string path) =>
        Names(path).Aggregate((JsonNode?)obj, (node, name) => (node as JsonObject)?[name]);

    private static void Set(JsonObject obj, string path, long value)
    {
        var names = Names(path);
        var parent = obj;
        foreach (var name in names[..^1])
        {
            if (parent[name] is not JsonObject child)
            {
                parent[name] = child = [];
            }

            parent = child;
        }

        parent[names[^1]] = value;
    }

    private static string[] Names(string path) => path.Split('.', StringSplitOptions.RemoveEmptyEntries);
}
