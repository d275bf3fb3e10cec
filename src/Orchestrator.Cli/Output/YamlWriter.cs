using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Orchestrator.Cli.Manifests;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Orchestrator.Cli.Output;

/// <summary>JSON as the YAML that kubectl prints: keys sorted, text quoted only where it would mean something else.</summary>
internal static partial class YamlWriter
{
    public static string Write(JsonNode? node)
    {
        var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text, new EmitterSettings(bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1024, skipAnchorName: true));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Emit(emitter, node);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    private static void Emit(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                emitter.Emit(new MappingStart(null, null, isImplicit: true, map.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (key, value) in map.OrderBy(member => member.Key, StringComparer.Ordinal))
                {
                    emitter.Emit(Text(key, mayBeLiteral: false));
                    Emit(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                emitter.Emit(new SequenceStart(null, null, isImplicit: true, list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in list)
                {
                    Emit(emitter, item);
                }

                emitter.Emit(new SequenceEnd());
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                emitter.Emit(Text(value.GetValue<string>(), mayBeLiteral: true));
                break;
            default:
                emitter.Emit(new Scalar(node?.ToJsonString() ?? "null"));
                break;
        }
    }

    private static Scalar Text(string text, bool mayBeLiteral)
    {
        // A literal block cannot begin with space, nor be nothing but line ends.
        mayBeLiteral &= text.Length > 0 && !char.IsWhiteSpace(text[0]);
        var style = text.Contains('\n', StringComparison.Ordinal) ? mayBeLiteral ? ScalarStyle.Literal : ScalarStyle.DoubleQuoted
            : PlainText().IsMatch(text) && !text.Contains(": ", StringComparison.Ordinal)
                && YamlScalars.Resolve(text) is JsonValue value && value.GetValueKind() == JsonValueKind.String
                ? ScalarStyle.Plain
            : ScalarStyle.DoubleQuoted;
        return new Scalar(null, null, text, style, isPlainImplicit: true, isQuotedImplicit: true);
    }

    /// <summary>
    /// Text that every YAML reader takes for itself. Narrower than the specification: readers differ on marks inside of plain text
    /// (<c>a *b</c>), and quotes are never wrong.
    /// </summary>
    [GeneratedRegex("^[A-Za-z0-9_/]([A-Za-z0-9 _./:@+=,()%-]*[A-Za-z0-9_./@+=,()%-])?$")]
    private static partial Regex PlainText();
}
