using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>
/// <c>Builtin/Definitions.yaml</c>: schemas of what clients and server tell each other beside objects, by the name that Kubernetes gives
/// them.
/// </summary>
internal static class SharedSchemas
{
    public const string DeleteOptions = Meta + "DeleteOptions";
    public const string Scale = "io.k8s.api.autoscaling.v1.Scale";

    private const string Meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

    private static readonly Lazy<JsonObject> Source = new(() => BuiltinSchemas.Read("Definitions"));

    /// <summary>As they are written, a $ref being a name. Shared: not to be changed.</summary>
    public static JsonObject All => Source.Value;

    /// <summary>For checking what a client sends.</summary>
    public static StructuralSchema Parse(string name) => StructuralSchema.Parse((JsonObject)Inline(All[name])!);

    /// <summary>Structural schemas have no $ref: what one names takes its place.</summary>
    private static JsonNode? Inline(JsonNode? node) => node switch
    {
        // All but the metadata of objects, which has rules of its own.
        JsonObject reference when (string?)reference["$ref"] is { } name => Inline(All[name]) ?? new JsonObject { ["type"] = "object" },
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, Inline(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Inline)]),
        _ => node?.DeepClone(),
    };
}
