using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;

namespace Orchestrator.ApiServer.Tables;

/// <summary>What a row carries of its object beside its cells: query parameter <c>includeObject</c>.</summary>
public enum IncludeObject
{
    /// <summary>PartialObjectMetadata, the default.</summary>
    Metadata,

    Object,

    None,
}

/// <summary>Renders objects of one resource as meta.k8s.io Tables. Immutable; made once for a resource.</summary>
public sealed class ResourceTable
{
    private readonly IReadOnlyList<TableColumn> _columns;

    /// <exception cref="FormatException">A column's path is not a JSONPath that columns may have.</exception>
    public ResourceTable(ResourceDefinition resource)
    {
        _columns = !resource.IsCustom && BuiltinColumns.Find(resource.Group, resource.Kind) is { } builtin ? builtin
            : resource.PrinterColumns.Count == 0 ? [BuiltinColumns.Name, BuiltinColumns.Age]
            : [BuiltinColumns.Name, .. resource.PrinterColumns.Select(PrinterColumns.Of)];
    }

    /// <param name="text">The query parameter; null or empty when there is none.</param>
    /// <returns>Null when it is not one of the values: 400.</returns>
    public static IncludeObject? ParseIncludeObject(string? text) => text switch
    {
        null or "" or "Metadata" => IncludeObject.Metadata,
        "Object" => IncludeObject.Object,
        "None" => IncludeObject.None,
        _ => null,
    };

    /// <param name="resources">Are not changed; each has its kind and apiVersion.</param>
    /// <param name="metadata">
    /// Of the list: resourceVersion, continue, remainingItemCount. For one object, or one event of a watch: with its resourceVersion.
    /// </param>
    /// <param name="version">Of meta.k8s.io: v1 or v1beta1.</param>
    /// <param name="withColumns">False for all but the first event of a watch.</param>
    public JsonObject Render(
        IEnumerable<JsonObject> resources,
        JsonObject metadata,
        DateTimeOffset now,
        string version = "v1",
        IncludeObject include = IncludeObject.Metadata,
        bool withColumns = true) => new()
    {
        ["kind"] = "Table",
        ["apiVersion"] = "meta.k8s.io/" + version,
        ["metadata"] = metadata.DeepClone(),
        ["columnDefinitions"] = withColumns ? new JsonArray([.. _columns.Select(column => column.ToDefinition())]) : null,
        ["rows"] = new JsonArray([.. resources.Select(resource => Row(resource, now, version, include))]),
    };

    /// <summary>A table of one object, as GET and watches answer it.</summary>
    /// <inheritdoc cref="Render"/>
    public JsonObject RenderOne(
        JsonObject resource,
        DateTimeOffset now,
        string version = "v1",
        IncludeObject include = IncludeObject.Metadata,
        bool withColumns = true) =>
        Render([resource], new JsonObject { ["resourceVersion"] = resource["metadata"]?["resourceVersion"]?.DeepClone() }, now, version, include, withColumns);

    private JsonObject Row(JsonObject resource, DateTimeOffset now, string version, IncludeObject include)
    {
        var row = new JsonObject
        {
            ["cells"] = new JsonArray([.. _columns.Select(column => column.Cell(resource, now))]),
        };
        switch (include)
        {
            case IncludeObject.Metadata:
                row["object"] = PartialMetadata.Of(resource, version);
                break;
            case IncludeObject.Object:
                row["object"] = resource.DeepClone();
                break;
        }

        return row;
    }
}
