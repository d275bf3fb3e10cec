using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>How the items of a list are told apart: <c>x-kubernetes-list-type</c>.</summary>
public enum ListType
{
    Atomic,
    Set,
    Map,
}

/// <summary>
/// A structural OpenAPI v3 schema as CRDs carry it, parsed and immutable: what a node of an object must be, what it is by default,
/// and which fields it knows. Bounds are in the units of JSON schema: characters, items, properties.
/// </summary>
public sealed class StructuralSchema
{
    internal static readonly StructuralSchema Anything = new() { PreservesUnknownFields = true };

    /// <summary>One of object, array, string, integer, number, boolean; null where several are allowed.</summary>
    public string? Type { get; internal init; }

    public string? Format { get; internal init; }

    public bool IsNullable { get; internal init; }

    /// <summary>Null when there is none; a default of null does not exist in structural schemas.</summary>
    internal JsonNode? Default { get; init; }

    internal IReadOnlyList<JsonNode?> Enum { get; init; } = [];

    internal FrozenDictionary<string, StructuralSchema> Properties { get; init; } = FrozenDictionary<string, StructuralSchema>.Empty;

    /// <summary>Those of <see cref="Properties"/> that have a default.</summary>
    internal IReadOnlyList<(string Name, StructuralSchema Schema)> Defaulted { get; init; } = [];

    internal IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Of members that <see cref="Properties"/> does not name; null where none are allowed.</summary>
    internal StructuralSchema? AdditionalProperties { get; init; }

    internal StructuralSchema? Items { get; init; }

    internal double? Minimum { get; init; }

    internal double? Maximum { get; init; }

    internal bool IsMinimumExclusive { get; init; }

    internal bool IsMaximumExclusive { get; init; }

    internal double? MultipleOf { get; init; }

    internal long? MinLength { get; init; }

    internal long? MaxLength { get; init; }

    internal SchemaPattern? Pattern { get; init; }

    internal long? MinItems { get; init; }

    internal long? MaxItems { get; init; }

    internal long? MinProperties { get; init; }

    internal long? MaxProperties { get; init; }

    internal IReadOnlyList<StructuralSchema> AllOf { get; init; } = [];

    internal IReadOnlyList<StructuralSchema> AnyOf { get; init; } = [];

    internal IReadOnlyList<StructuralSchema> OneOf { get; init; } = [];

    internal StructuralSchema? Not { get; init; }

    /// <summary><c>x-kubernetes-int-or-string</c>.</summary>
    internal bool IsIntOrString { get; init; }

    /// <summary><c>x-kubernetes-preserve-unknown-fields</c>.</summary>
    internal bool PreservesUnknownFields { get; init; }

    /// <summary><c>x-kubernetes-embedded-resource</c>: it has apiVersion, kind and metadata.</summary>
    internal bool IsEmbeddedResource { get; init; }

    internal ListType ListType { get; init; }

    /// <summary>Fields that together tell the items of a <see cref="ListType.Map"/> apart.</summary>
    internal IReadOnlyList<string> MapKeys { get; init; } = [];

    /// <summary>Reads an <c>openAPIV3Schema</c>.</summary>
    /// <param name="error">Path and reason, when it is not a structural schema.</param>
    public static bool TryParse(
        JsonObject openApiSchema, [NotNullWhen(true)] out StructuralSchema? schema, [NotNullWhen(false)] out string? error) =>
        new StructuralSchemaReader().TryRead(openApiSchema, out schema, out error);

    /// <exception cref="InvalidDataException">It is not a structural schema.</exception>
    public static StructuralSchema Parse(JsonObject openApiSchema) =>
        TryParse(openApiSchema, out var schema, out var error) ? schema : throw new InvalidDataException(error);

    /// <summary>The schema of a member of an object; null where the object does not know it.</summary>
    internal StructuralSchema? Member(string name) =>
        Properties.TryGetValue(name, out var schema) ? schema : AdditionalProperties;
}
