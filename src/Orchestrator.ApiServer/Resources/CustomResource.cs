using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Resources;

/// <summary>Reads the CustomResourceDefinitions that are built in from <c>/crds</c>: the one source of what a custom kind is.</summary>
internal static class CustomResource
{
    private const string Prefix = "crds/";

    /// <summary>The documents, in the order of their names.</summary>
    public static IReadOnlyList<JsonObject> ReadDefinitions()
    {
        var assembly = typeof(CustomResource).Assembly;
        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name =>
                {
                    using var stream = assembly.GetManifestResourceStream(name)!;
                    var bytes = new byte[stream.Length];
                    stream.ReadExactly(bytes);
                    var document = YamlDocument.Parse(bytes, DocumentLimits.Default);
                    return document.Root as JsonObject
                        ?? throw new InvalidDataException($"{name}: {document.Error?.Message ?? "not an object"}");
                }),
        ];
    }

    /// <param name="crd">With one version that is served and stored.</param>
    public static ResourceDefinition Parse(JsonObject crd)
    {
        var spec = Member(crd, "spec");
        var names = Member(spec, "names");
        var version = (spec["versions"] as JsonArray ?? []).OfType<JsonObject>().Single();
        var subresources = Member(version, "subresources");
        return new ResourceDefinition
        {
            Group = spec.Text("group"),
            Version = version.Text("name"),
            Kind = names.Text("kind"),
            ListKind = names.Text("listKind"),
            Plural = names.Text("plural"),
            Singular = names.Text("singular"),
            ShortNames = Metadata.Texts(names["shortNames"]),
            Categories = Metadata.Texts(names["categories"]),
            Namespaced = spec.Text("scope") == "Namespaced",
            HasStatus = subresources["status"] is JsonObject,
            Scale = subresources["scale"] is JsonObject scale
                ? new ScaleDefinition(
                    scale.Text("specReplicasPath"),
                    scale.Text("statusReplicasPath"),
                    scale.Text("labelSelectorPath") is { Length: > 0 } path ? path : null)
                : null,
            OpenApiSchema = (JsonObject)Member(Member(version, "schema"), "openAPIV3Schema").DeepClone(),
            PrinterColumns = [.. (version["additionalPrinterColumns"] as JsonArray ?? []).OfType<JsonObject>().Select(Column)],
            SelectableFields =
            [
                .. (version["selectableFields"] as JsonArray ?? []).OfType<JsonObject>().Select(field => field.Text("jsonPath").TrimStart('.')),
            ],
            IsCustom = true,
        };
    }

    /// <summary>The object that clients find under customresourcedefinitions: served from the first moment on.</summary>
    /// <param name="since">When the conditions came to hold: the object's creation.</param>
    public static JsonObject Establish(JsonObject crd, string since)
    {
        var established = (JsonObject)crd.DeepClone();
        var spec = Member(established, "spec");
        var names = Member(spec, "names");
        JsonObject Condition(string type, string reason, string message) => new()
        {
            ["type"] = type,
            ["status"] = "True",
            ["lastTransitionTime"] = since,
            ["reason"] = reason,
            ["message"] = message,
        };
        spec["conversion"] ??= new JsonObject { ["strategy"] = "None" };
        established["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(
                Condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                Condition("Established", "InitialNamesAccepted", "the initial names have been accepted")),
            ["acceptedNames"] = names.DeepClone(),
            ["storedVersions"] = new JsonArray(
                [.. (spec["versions"] as JsonArray ?? []).OfType<JsonObject>().Select(version => (JsonNode)version.Text("name"))]),
        };
        return established;
    }

    private static PrinterColumn Column(JsonObject column) => new(
        column.Text("name"),
        column.Text("type"),
        column.Text("format"),
        column.Text("jsonPath"),
        column.Text("description"),
        column["priority"] is JsonValue priority && int.TryParse(priority.ToJsonString(), out var number) ? number : 0);

    private static JsonObject Member(JsonObject parent, string name) => parent[name] as JsonObject ?? [];
}
