using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Resources;

/// <summary>
/// Everything the server knows of one resource: what a CustomResourceDefinition says of a custom kind, written in code for a
/// built-in one. Immutable, and so are the JSON documents that hang off it.
/// </summary>
public sealed record ResourceDefinition
{
    /// <summary>API group; empty for the legacy core group (<c>/api/v1</c>).</summary>
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Kind { get; init; }

    public required string ListKind { get; init; }

    /// <summary>Lower-case plural: the name in URLs.</summary>
    public required string Plural { get; init; }

    public required string Singular { get; init; }

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    public required bool Namespaced { get; init; }

    /// <summary>Status is a subresource: the main resource drops it, <c>/status</c> writes nothing else.</summary>
    public bool HasStatus { get; init; }

    /// <summary>Null without a scale subresource.</summary>
    public ScaleDefinition? Scale { get; init; }

    /// <summary>What may be done with the main resource, in discovery's words.</summary>
    public IReadOnlyList<string> Verbs { get; init; } = AllVerbs;

    /// <summary>
    /// The OpenAPI v3 schema of one object, as the CRD's <c>openAPIV3Schema</c> has it. Null where none is known: such an object is
    /// stored as it comes, apart from its metadata.
    /// </summary>
    public JsonObject? OpenApiSchema { get; init; }

    /// <summary>Columns after the name in tables; empty means the name and the age.</summary>
    public IReadOnlyList<PrinterColumn> PrinterColumns { get; init; } = [];

    /// <summary>
    /// Paths such as <c>involvedObject.kind</c> that a field selector may use, beside metadata.name and metadata.namespace.
    /// </summary>
    public IReadOnlyList<string> SelectableFields { get; init; } = [];

    /// <summary>Defined by a CRD, with the CRD's rules (no strategic merge, updates need a resourceVersion, generation counts).</summary>
    public bool IsCustom { get; init; }

    /// <summary><c>v1</c> or <c>orchestrator.dev/v1</c>.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary><c>secrets</c> or <c>webapps.orchestrator.dev</c>: how Kubernetes names the resource in its messages.</summary>
    public string GroupResource => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>All verbs a stored resource can have, in discovery's order.</summary>
    public static IReadOnlyList<string> AllVerbs { get; } =
        ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    public static IReadOnlyList<string> ReadOnlyVerbs { get; } = ["get", "list", "watch"];
}

/// <summary>Where in an object its scale is (autoscaling/v1 Scale); simple JSON paths such as <c>.spec.replicas</c>.</summary>
/// <param name="LabelSelectorPath">A string in status; null when the CRD names none.</param>
public sealed record ScaleDefinition(string SpecReplicasPath, string StatusReplicasPath, string? LabelSelectorPath);

/// <summary>A column of <c>kubectl get</c>.</summary>
/// <param name="Type">An OpenAPI type, or <c>date</c>: shown as the time since.</param>
/// <param name="Format">OpenAPI format of the type; empty for none.</param>
/// <param name="JsonPath">A simple JSON path, with its leading dot.</param>
/// <param name="Priority">0 is always shown, more only with <c>-o wide</c>.</param>
public sealed record PrinterColumn(string Name, string Type, string Format, string JsonPath, string Description, int Priority);
