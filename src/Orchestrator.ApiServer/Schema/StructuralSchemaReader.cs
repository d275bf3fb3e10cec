using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>
/// Reads one <c>openAPIV3Schema</c>. Strict: a keyword that would be ignored is an error, since a rule that is not kept is worse than
/// a CRD that is refused.
/// </summary>
internal sealed class StructuralSchemaReader
{
    private const int MaxDepth = 64;

    private static readonly FrozenSet<string> Types =
        new[] { "object", "array", "string", "integer", "number", "boolean" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Keywords = new[]
    {
        "type", "format", "description", "title", "default", "example", "externalDocs", "nullable", "enum", "properties",
        "additionalProperties", "required", "items", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "pattern", "minItems", "maxItems", "minProperties", "maxProperties", "allOf", "anyOf", "oneOf", "not",
        "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource",
        "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-group-version-kind",
    }.ToFrozenSet(StringComparer.Ordinal);

    // A CRD repeats few patterns many times.
    private readonly Dictionary<string, SchemaPattern> _patterns = new(StringComparer.Ordinal);
    private readonly FieldPath _path = new();

    public bool TryRead(
        JsonObject source, [NotNullWhen(true)] out StructuralSchema? schema, [NotNullWhen(false)] out string? error)
    {
        try
        {
            (schema, error) = (Read(source), null);
            return true;
        }
        catch (MalformedSchemaException malformed)
        {
            (schema, error) = (null, $"{(_path.Depth == 0 ? "schema" : _path)}: {malformed.Message}");
            return false;
        }
    }

    private StructuralSchema Read(JsonObject source)
    {
        if (_path.Depth > MaxDepth)
        {
            throw new MalformedSchemaException($"nested more than {MaxDepth} levels");
        }

        if (source.Select(keyword => keyword.Key).FirstOrDefault(keyword => !Keywords.Contains(keyword)) is { } unknown)
        {
            throw new MalformedSchemaException($"keyword \"{unknown}\" is not supported");
        }

        var type = Text(source, "type");
        if (type is not null && !Types.Contains(type))
        {
            throw new MalformedSchemaException($"there is no type \"{type}\"");
        }

        var properties = ReadProperties(source);
        var preserves = Flag(source, "x-kubernetes-preserve-unknown-fields");
        return new StructuralSchema
        {
            Type = type,
            Format = Text(source, "format"),
            IsNullable = Flag(source, "nullable"),
            Default = source["default"]?.DeepClone(),
            Enum = [.. Array(source, "enum").Select(value => value?.DeepClone())],
            Properties = properties.ToFrozenDictionary(StringComparer.Ordinal),
            Defaulted = [.. properties.Where(property => property.Value.Default is not null).Select(property => (property.Key, property.Value))],
            Required = Texts(source, "required"),
            AdditionalProperties = source["additionalProperties"] switch
            {
                JsonObject nested => At("additionalProperties", nested),
                JsonValue value when value.GetValueKind() == JsonValueKind.True => StructuralSchema.Anything,
                _ => null,
            },
            Items = source["items"] is JsonObject items ? At("items", items) : null,
            Minimum = Number(source, "minimum"),
            Maximum = Number(source, "maximum"),
            IsMinimumExclusive = Flag(source, "exclusiveMinimum"),
            IsMaximumExclusive = Flag(source, "exclusiveMaximum"),
            MultipleOf = Number(source, "multipleOf"),
            MinLength = Count(source, "minLength"),
            MaxLength = Count(source, "maxLength"),
            Pattern = Text(source, "pattern") is { } pattern ? ReadPattern(pattern) : null,
            MinItems = Count(source, "minItems"),
            MaxItems = Count(source, "maxItems"),
            MinProperties = Count(source, "minProperties"),
            MaxProperties = Count(source, "maxProperties"),
            AllOf = Schemas(source, "allOf"),
            AnyOf = Schemas(source, "anyOf"),
            OneOf = Schemas(source, "oneOf"),
            Not = source["not"] is JsonObject not ? At("not", not) : null,
            IsIntOrString = Flag(source, "x-kubernetes-int-or-string"),
            PreservesUnknownFields = preserves,
            IsEmbeddedResource = Flag(source, "x-kubernetes-embedded-resource"),
            ListType = Text(source, "x-kubernetes-list-type") switch
            {
                null or "atomic" => ListType.Atomic,
                "set" => ListType.Set,
                "map" => ListType.Map,
                var other => throw new MalformedSchemaException($"there is no list type \"{other}\""),
            },
            MapKeys = Texts(source, "x-kubernetes-list-map-keys"),
        };
    }

    private Dictionary<string, StructuralSchema> ReadProperties(JsonObject source)
    {
        var properties = new Dictionary<string, StructuralSchema>(StringComparer.Ordinal);
        if (source["properties"] is JsonObject members)
        {
            foreach (var (name, member) in members)
            {
                properties.Add(name, At(name, member));
            }
        }

        return properties;
    }

    private StructuralSchema At(string name, JsonNode? node)
    {
        _path.Push(name);
        var schema = Read(node as JsonObject ?? throw new MalformedSchemaException("must be an object"));
        _path.Pop();
        return schema;
    }

    private List<StructuralSchema> Schemas(JsonObject source, string keyword) =>
        [.. Array(source, keyword).Select(schema => At(keyword, schema))];

    private SchemaPattern ReadPattern(string pattern)
    {
        if (!_patterns.TryGetValue(pattern, out var compiled))
        {
            if (!SchemaPattern.TryCompile(pattern, out compiled, out var error))
            {
                throw new MalformedSchemaException($"pattern {pattern}: {error}");
            }

            _patterns.Add(pattern, compiled);
        }

        return compiled;
    }

    private static IEnumerable<JsonNode?> Array(JsonObject source, string keyword) => source[keyword] switch
    {
        null => [],
        JsonArray items => items,
        _ => throw new MalformedSchemaException($"{keyword} must be an array"),
    };

    private static List<string> Texts(JsonObject source, string keyword) => [.. Array(source, keyword).Select(item =>
        item?.GetValueKind() == JsonValueKind.String
            ? item.GetValue<string>()
            : throw new MalformedSchemaException($"{keyword} must be an array of strings"))];

    private static string? Text(JsonObject source, string keyword) => source[keyword] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => throw new MalformedSchemaException($"{keyword} must be a string"),
    };

    private static bool Flag(JsonObject source, string keyword) => source[keyword]?.GetValueKind() switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw new MalformedSchemaException($"{keyword} must be a boolean"),
    };

    private static double? Number(JsonObject source, string keyword) => source[keyword] is not { } node ? null
        : JsonNumber.TryRead(node, out var number) ? number.Value
        : throw new MalformedSchemaException($"{keyword} must be a number");

    private static long? Count(JsonObject source, string keyword) => source[keyword] is not { } node ? null
        : JsonNumber.TryRead(node, out var number) && number.Integer >= 0 ? number.Integer
        : throw new MalformedSchemaException($"{keyword} must be a non-negative integer");

    /// <summary>Leaves the recursion; never leaves this class.</summary>
    private sealed class MalformedSchemaException(string message) : Exception(message);
}
