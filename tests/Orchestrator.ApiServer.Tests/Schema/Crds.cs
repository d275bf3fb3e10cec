using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Tests.Schema;

/// <summary>The resources as the server has them: custom ones from the real CRD files, built-in ones from their schemas.</summary>
internal static class Crds
{
    public static readonly IReadOnlyList<ResourceDefinition> Custom =
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "crds"), "*.yaml").Order(StringComparer.Ordinal).Select(file => Read(Yaml(File.ReadAllText(file))))];

    public static readonly IReadOnlyList<ResourceDefinition> Builtin =
    [
        Core("", "v1", "Namespace", "namespaces", false, ["ns"]),
        Core("", "v1", "Secret", "secrets", true, []),
        Core("", "v1", "ConfigMap", "configmaps", true, ["cm"]),
        Core("", "v1", "Event", "events", true, ["ev"]),
        Core("coordination.k8s.io", "v1", "Lease", "leases", true, []),
        Core("apps", "v1", "ControllerRevision", "controllerrevisions", true, []),
        Core("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false, ["crd", "crds"]),
    ];

    public static ResourceDefinition Find(string kind) => Custom.Concat(Builtin).Single(resource => resource.Kind == kind);

    public static JsonObject Yaml(string text)
    {
        var document = YamlDocument.Parse(Encoding.UTF8.GetBytes(text), DocumentLimits.Default);
        return document.Root as JsonObject ?? throw new InvalidDataException(document.Error?.Message ?? "not an object");
    }

    private static ResourceDefinition Core(string group, string version, string kind, string plural, bool namespaced, string[] shortNames) => new()
    {
        Group = group,
        Version = version,
        Kind = kind,
        ListKind = kind + "List",
        Plural = plural,
        Singular = kind.ToLowerInvariant(),
        ShortNames = shortNames,
        Namespaced = namespaced,
        HasStatus = kind is "Namespace" or "CustomResourceDefinition",
        OpenApiSchema = BuiltinSchemas.Find(group, kind),
    };

    private static ResourceDefinition Read(JsonObject crd)
    {
        var (spec, names, version) = (crd["spec"]!, crd["spec"]!["names"]!, crd["spec"]!["versions"]![0]!);
        string[] Texts(JsonNode? items) => [.. (items as JsonArray ?? []).Select(item => item!.GetValue<string>())];
        var scale = version["subresources"]?["scale"];
        return new ResourceDefinition
        {
            Group = (string)spec["group"]!,
            Version = (string)version["name"]!,
            Kind = (string)names["kind"]!,
            ListKind = (string)names["listKind"]!,
            Plural = (string)names["plural"]!,
            Singular = (string)names["singular"]!,
            ShortNames = Texts(names["shortNames"]),
            Categories = Texts(names["categories"]),
            Namespaced = (string)spec["scope"]! == "Namespaced",
            HasStatus = version["subresources"]?["status"] is not null,
            Scale = scale is null
                ? null
                : new ScaleDefinition((string)scale["specReplicasPath"]!, (string)scale["statusReplicasPath"]!, (string?)scale["labelSelectorPath"]),
            OpenApiSchema = version["schema"]!["openAPIV3Schema"]!.AsObject(),
            PrinterColumns =
            [
                .. (version["additionalPrinterColumns"] as JsonArray ?? []).Select(column => new PrinterColumn(
                    (string)column!["name"]!,
                    (string)column["type"]!,
                    (string?)column["format"] ?? "",
                    (string)column["jsonPath"]!,
                    (string?)column["description"] ?? "",
                    (int)((long?)column["priority"] ?? 0))),
            ],
            IsCustom = true,
        };
    }
}
