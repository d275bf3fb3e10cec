using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Orchestrator.ApiServer.Schema.Documents;

/// <summary>
/// Parses a YAML body into the JSON that Kubernetes reads in it: YAML 1.1 as sigs.k8s.io/yaml has it, one document. Aliases are
/// expanded on a budget of their own, so that a small bomb stays small.
/// </summary>
public sealed class YamlDocument
{
    private const string MergeKey = "<<";

    private readonly GuardedYamlParser _parser;
    private readonly DocumentLimits _limits;
    private readonly DocumentBudget _budget;
    private readonly Dictionary<AnchorName, (JsonNode? Node, int Weight, int Depth)> _anchors = [];
    private int _aliasWeight;

    private YamlDocument(string text, DocumentLimits limits)
    {
        _parser = new GuardedYamlParser(text);
        _limits = limits;
        _budget = new DocumentBudget(limits);
    }

    public static ParsedDocument Parse(ReadOnlySpan<byte> body, DocumentLimits limits)
    {
        if (ParsedDocument.Oversize(body.Length, limits) is { } oversize)
        {
            return oversize;
        }

        if (!Utf8.IsValid(body))
        {
            return ParsedDocument.Fail("error converting YAML to JSON: yaml: the body is not UTF-8");
        }

        var document = new YamlDocument(Encoding.UTF8.GetString(body), limits);
        try
        {
            return new ParsedDocument(document.ReadStream(), document._budget.Duplicates, null);
        }
        catch (YamlException malformed)
        {
            return ParsedDocument.Fail(string.Create(
                CultureInfo.InvariantCulture, $"error converting YAML to JSON: yaml: line {malformed.Start.Line}: {malformed.Message}"));
        }
        catch (MalformedDocumentException malformed)
        {
            return new ParsedDocument(
                null, [], new DocumentError(malformed.IsTooLarge, "error converting YAML to JSON: yaml: " + malformed.Message));
        }
    }

    private JsonNode? ReadStream()
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _))
        {
            return null;
        }

        var root = Read(1).Node;
        _parser.Consume<DocumentEnd>();
        return _parser.Accept<DocumentStart>(out var second)
            ? throw At(second, "expected one document, found a second")
            : root;
    }

    /// <returns>The weight is what an alias of the node costs; the depth that of the node itself.</returns>
    private (JsonNode? Node, int Weight, int Depth) Read(int depth)
    {
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return Expand(alias, depth);
        }

        _budget.AddValue(depth);
        if (!_parser.Accept<NodeEvent>(out var start))
        {
            throw new MalformedDocumentException("unexpected end of the document");
        }

        var result = start switch
        {
            Scalar scalar => ReadScalar(scalar),
            MappingStart => ReadMapping(depth),
            SequenceStart => ReadSequence(depth),
            _ => throw At(start, $"unexpected {start.GetType().Name}"),
        };

        // Only now: an anchor that contains an alias of itself finds none.
        if (!start.Anchor.IsEmpty)
        {
            _anchors[start.Anchor] = result;
        }

        return result;
    }

    private (JsonNode?, int, int) Expand(AnchorAlias alias, int depth)
    {
        if (!_anchors.TryGetValue(alias.Value, out var anchored))
        {
            throw At(alias, $"unknown anchor '{alias.Value}' referenced");
        }

        _aliasWeight += anchored.Weight;
        if (_aliasWeight > _limits.MaxAliasWeight)
        {
            throw At(alias, "document contains excessive aliasing", isTooLarge: true);
        }

        if (depth + anchored.Depth > _limits.MaxDepth)
        {
            throw At(alias, $"the document is nested more than {_limits.MaxDepth} levels deep");
        }

        return (anchored.Node?.DeepClone(), anchored.Weight, anchored.Depth);
    }

    private (JsonNode?, int, int) ReadScalar(Scalar scalar)
    {
        _parser.MoveNext();
        return (YamlScalar.ToNode(scalar), scalar.Value.Length + 1, 1);
    }

    private (JsonNode?, int, int) ReadSequence(int depth)
    {
        _parser.MoveNext();
        var (items, weight, deepest) = (new JsonArray(), 1, 0);
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            _budget.Path.Push(items.Count);
            var item = Read(depth + 1);
            _budget.Path.Pop();
            items.Add(item.Node);
            (weight, deepest) = (weight + item.Weight, Math.Max(deepest, item.Depth));
        }

        return (items, weight, deepest + 1);
    }

    private (JsonNode?, int, int) ReadMapping(int depth)
    {
        _parser.MoveNext();
        var (members, weight, deepest) = (new JsonObject(), 1, 0);
        var merged = new List<JsonObject>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var (name, isMerge, position) = ReadKey();
            _budget.Path.Push(name);
            var value = Read(depth + 1);
            _budget.Path.Pop();
            (weight, deepest) = (weight + name.Length + value.Weight, Math.Max(deepest, value.Depth));
            if (isMerge)
            {
                merged.AddRange(Sources(value.Node, position));
            }
            else
            {
                _budget.AddMember(members, name, value.Node);
            }
        }

        // What is written out goes before what is merged in, and of several sources the first.
        foreach (var (name, value) in merged.SelectMany(source => source))
        {
            if (!members.ContainsKey(name))
            {
                members[name] = value?.DeepClone();
            }
        }

        return (members, weight, deepest + 1);
    }

    private (string Name, bool IsMerge, ParsingEvent Position) ReadKey()
    {
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return Expand(alias, 0).Item1 is JsonValue value && value.TryGetValue(out string? text)
                ? (text, false, alias)
                : throw At(alias, "a key must be a scalar");
        }

        if (!_parser.TryConsume<Scalar>(out var scalar))
        {
            throw At(_parser.Current!, "a key must be a scalar");
        }

        if (!scalar.Anchor.IsEmpty)
        {
            _anchors[scalar.Anchor] = (JsonValue.Create(scalar.Value), scalar.Value.Length + 1, 1);
        }

        // A key that reads as a number or a boolean is its text, as it is written.
        return (scalar.Value, scalar is { Style: ScalarStyle.Plain, Value: MergeKey }, scalar);
    }

    private static IEnumerable<JsonObject> Sources(JsonNode? value, ParsingEvent position) => value switch
    {
        JsonObject one => [one],
        JsonArray many when many.All(each => each is JsonObject) => many.Cast<JsonObject>(),
        _ => throw At(position, "map merge requires map or sequence of maps as the value"),
    };

    private static MalformedDocumentException At(ParsingEvent where, string message, bool isTooLarge = false) =>
        new(string.Create(CultureInfo.InvariantCulture, $"line {where.Start.Line}: {message}"), isTooLarge);
}
