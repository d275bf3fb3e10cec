using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Orchestrator.Cli.Manifests;

/// <summary>
/// Reads YAML as untyped JSON, safely: what a document expands to and how deep it nests are bounded, duplicate keys are an
/// error (a parser that takes the last one hides a mistake).
/// </summary>
internal sealed class YamlDocument
{
    /// <summary>Far above any manifest, far below what overflows a stack.</summary>
    public const int MaxDepth = 100;

    /// <summary>Values that aliases may add to a document: enough for honest sharing, nothing to a "billion laughs" bomb.</summary>
    public const int MaxAliasedValues = 10_000;

    private readonly Parser _parser;
    private readonly Dictionary<string, JsonNode?> _anchors = [];
    private readonly HashSet<string> _open = [];
    private int _aliased;

    private YamlDocument(Parser parser) => _parser = parser;

    /// <summary>The documents of a text.</summary>
    /// <returns>For each: the line it starts at, counted from 1, and its content; null when it is empty.</returns>
    /// <exception cref="YamlException">It is no YAML, or exceeds a bound; says where.</exception>
    public static IEnumerable<(long Line, JsonNode? Content)> ReadAll(string text)
    {
        var parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
        parser.Consume<StreamStart>();
        while (!parser.Accept<StreamEnd>(out _))
        {
            parser.Consume<DocumentStart>();
            var line = parser.Current!.Start.Line;
            var content = new YamlDocument(parser).ReadValue(0);
            parser.Consume<DocumentEnd>();
            yield return (line, content);
        }
    }

    private JsonNode? ReadValue(int depth)
    {
        var next = _parser.Current!;
        if (depth > MaxDepth)
        {
            throw new YamlException(next.Start, next.End, $"nested deeper than {MaxDepth} levels");
        }

        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return Expand(alias);
        }

        var anchor = next is NodeEvent { Anchor.IsEmpty: false } node ? node.Anchor.Value : null;
        if (anchor is not null)
        {
            _open.Add(anchor);
        }

        var value = next switch
        {
            Scalar => ReadScalar(),
            SequenceStart => ReadList(depth),
            MappingStart => ReadMap(depth),
            _ => throw new YamlException(next.Start, next.End, $"unexpected {next.GetType().Name}"),
        };
        if (anchor is not null)
        {
            _open.Remove(anchor);
            _anchors[anchor] = value;
        }

        return value;
    }

    private JsonNode? ReadScalar()
    {
        var scalar = _parser.Consume<Scalar>();
        try
        {
            return scalar switch
            {
                { Tag.IsEmpty: false, Tag.IsNonSpecific: false } => YamlScalars.Resolve(scalar.Value, scalar.Tag.Value),
                { Style: ScalarStyle.Plain, Tag.IsEmpty: true } => YamlScalars.Resolve(scalar.Value),
                _ => scalar.Value,
            };
        }
        catch (FormatException failure)
        {
            throw new YamlException(scalar.Start, scalar.End, failure.Message);
        }
    }

    private JsonArray ReadList(int depth)
    {
        _parser.Consume<SequenceStart>();
        var list = new JsonArray();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            list.Add(ReadValue(depth + 1));
        }

        return list;
    }

    private JsonObject ReadMap(int depth)
    {
        _parser.Consume<MappingStart>();
        var map = new JsonObject();
        var merged = new List<JsonObject>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = _parser.Current!;
            if (at is Scalar { Value: "<<", Style: ScalarStyle.Plain })
            {
                _parser.Consume<Scalar>();
                merged.AddRange(Merged(ReadValue(depth + 1), at));
                continue;
            }

            var key = ReadValue(depth + 1) switch
            {
                null => "null",
                JsonValue value => value.ToString() is var text && value.GetValueKind() is System.Text.Json.JsonValueKind.True
                    or System.Text.Json.JsonValueKind.False ? text.ToLowerInvariant() : text,
                _ => throw new YamlException(at.Start, at.End, "a key must be a word, not a list or a map"),
            };
            if (map.ContainsKey(key))
            {
                throw new YamlException(at.Start, at.End, $"the key \"{key}\" is there twice");
            }

            map.Add(key, ReadValue(depth + 1));
        }

        // YAML's merge type: own keys win over merged ones, earlier ones over later.
        foreach (var (key, value) in merged.SelectMany(source => source))
        {
            if (!map.ContainsKey(key))
            {
                map.Add(key, value?.DeepClone());
            }
        }

        return map;
    }

    private static IEnumerable<JsonObject> Merged(JsonNode? source, ParsingEvent at) => source switch
    {
        JsonObject map => [map],
        JsonArray list when list.All(item => item is JsonObject) => list.Select(item => item!.AsObject()),
        _ => throw new YamlException(at.Start, at.End, "\"<<\" merges maps only"),
    };

    private JsonNode? Expand(AnchorAlias alias)
    {
        var name = alias.Value.Value;
        if (_open.Contains(name))
        {
            throw new YamlException(alias.Start, alias.End, $"the alias *{name} contains itself");
        }

        if (!_anchors.TryGetValue(name, out var value))
        {
            throw new YamlException(alias.Start, alias.End, $"the alias *{name} has no anchor");
        }

        _aliased += Count(value, MaxAliasedValues - _aliased);
        return _aliased > MaxAliasedValues
            ? throw new YamlException(alias.Start, alias.End, $"aliases expand to more than {MaxAliasedValues} values")
            : value?.DeepClone();
    }

    /// <summary>Values in a tree; stops counting above a bound.</summary>
    private static int Count(JsonNode? node, int bound)
    {
        var children = node switch
        {
            JsonObject map => map.Select(member => member.Value),
            JsonArray list => list,
            _ => [],
        };
        var count = 1;
        foreach (var child in children)
        {
            if (count > bound)
            {
                break;
            }

            count += Count(child, bound - count);
        }

        return count;
    }
}
