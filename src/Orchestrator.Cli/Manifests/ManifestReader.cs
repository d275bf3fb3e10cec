using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Connection;
using YamlDotNet.Core;

namespace Orchestrator.Cli.Manifests;

/// <summary>
/// Finds and reads manifests. A bad document does not hide the ones after it: documents are told apart by their <c>---</c> lines
/// before any is parsed, as kubectl does.
/// </summary>
internal static class ManifestReader
{
    /// <summary>Bytes of one file or of standard input. The server takes single objects of about 3 MB.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    private const int MaxListDepth = 5;

    private static readonly HashSet<string> Extensions = new(StringComparer.OrdinalIgnoreCase) { ".yaml", ".yml", ".json" };

    private static readonly JsonDocumentOptions JsonOptions = new() { AllowDuplicateProperties = false, MaxDepth = YamlDocument.MaxDepth };

    /// <param name="sources">Files, folders, or <c>-</c> for standard input.</param>
    /// <param name="recursive">Whether folders are read with the folders in them.</param>
    /// <exception cref="CommandException">A source does not exist or cannot be read.</exception>
    public static IEnumerable<Manifest> Read(IEnumerable<string> sources, bool recursive, Func<Stream> standardInput) =>
        sources.SelectMany(source => Files(source, recursive)).SelectMany(file => file == "-"
            ? ReadText("standard input", ReadBounded("standard input", standardInput))
            : ReadText(file, ReadBounded(file, () => File.OpenRead(file))));

    /// <summary>The objects of a text, lists taken apart.</summary>
    public static IEnumerable<Manifest> ReadText(string source, string text)
    {
        var number = 0;
        foreach (var (firstLine, document) in Split(text))
        {
            foreach (var manifest in Parse(source, firstLine, document).SelectMany(found => Unfold(found, 0)))
            {
                yield return manifest with { Number = ++number };
            }
        }
    }

    private static IEnumerable<string> Files(string source, bool recursive)
    {
        if (source == "-" || File.Exists(source))
        {
            return [source];
        }

        if (!Directory.Exists(source))
        {
            throw CommandException.Usage($"there is no file or folder {source}");
        }

        var files = Directory
            .EnumerateFiles(source, "*", recursive ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly)
            .Where(file => Extensions.Contains(Path.GetExtension(file)))
            .Order(StringComparer.Ordinal)
            .ToList();
        return files.Count > 0 ? files : throw CommandException.Usage(
            $"the folder {source} has no .yaml, .yml or .json files{(recursive ? "" : "; with --recursive the folders in it are read too")}");
    }

    private static string ReadBounded(string source, Func<Stream> open)
    {
        try
        {
            using var stream = open();
            using var bytes = new MemoryStream();
            var buffer = new byte[81920];
            while (stream.Read(buffer) is > 0 and var count)
            {
                bytes.Write(buffer, 0, count);
                if (bytes.Length > MaxBytes)
                {
                    throw CommandException.Failed($"{source} is larger than {MaxBytes / 1024 / 1024} MiB: no manifest is");
                }
            }

            // Strict, and no other encoding by a byte order mark: what is no UTF-8 is no manifest.
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.GetBuffer(), 0, (int)bytes.Length).TrimStart('\ufeff');
        }
        catch (DecoderFallbackException)
        {
            throw CommandException.Failed($"{source} is not UTF-8 text");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Failed($"cannot read {source}: {failure.Message}");
        }
    }

    private static IEnumerable<(long FirstLine, string Text)> Split(string text)
    {
        var document = new StringBuilder();
        long line = 0, first = 1;
        foreach (var span in text.Split('\n'))
        {
            line++;
            if (span.StartsWith("---", StringComparison.Ordinal) && (span.Length == 3 || char.IsWhiteSpace(span[3])))
            {
                yield return (first, document.ToString());
                document.Clear().Append("   ").Append(span, 3, span.Length - 3).Append('\n');
                first = line;
            }
            else
            {
                // A directive (%YAML 1.2) belongs to the document marker after it; nothing we read depends on one.
                document.Append(span.StartsWith('%') && IsBlank(document) ? "" : span).Append('\n');
            }
        }

        yield return (first, document.ToString());
    }

    private static bool IsBlank(StringBuilder text)
    {
        foreach (var chunk in text.GetChunks())
        {
            if (!chunk.Span.IsWhiteSpace())
            {
                return false;
            }
        }

        return true;
    }

    private static IEnumerable<Manifest> Parse(string source, long firstLine, string text)
    {
        if (text.AsSpan().TrimStart().StartsWith("{") && FromJson(text) is { } json)
        {
            return [new Manifest(source, 0, firstLine, json, null)];
        }

        var found = new List<Manifest>();
        var blank = text.Split('\n').TakeWhile(line => line.AsSpan().Trim() is var words && (words.IsEmpty || words[0] == '#')).Count();
        try
        {
            foreach (var (line, content) in YamlDocument.ReadAll(text))
            {
                // The parser counts what stands before a document as part of it.
                var at = firstLine + Math.Max(line - 1, blank);
                switch (content)
                {
                    case null:
                        break;
                    case JsonObject map:
                        found.Add(new Manifest(source, 0, at, map, null));
                        break;
                    default:
                        found.Add(new Manifest(source, 0, at, null, "a manifest is a map of apiVersion, kind, metadata and so on"));
                        break;
                }
            }
        }
        catch (YamlException failure)
        {
            var (line, reason) = Reason(failure, text);
            found.Add(new Manifest(source, 0, firstLine + line - 1, null, $"bad YAML: {reason}"));
        }

        return found;
    }

    /// <returns>The line of the text that is wrong, from 1, and why.</returns>
    private static (long Line, string Reason) Reason(YamlException failure, string text)
    {
        var line = Math.Max(failure.Start.Line, 1);
        if (!failure.Message.Contains("tab", StringComparison.Ordinal))
        {
            return (line, failure.Message);
        }

        // The parser tells where the map begins that a tab is in.
        var tab = text.Split('\n').Skip((int)line - 1).TakeWhile(one => !one.AsSpan(0, one.Length - one.AsSpan().TrimStart().Length).Contains('\t')).Count();
        return (line + tab, "a tab indents this line; YAML takes spaces only");
    }

    private static JsonObject? FromJson(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: JsonOptions) as JsonObject;
        }
        catch (JsonException)
        {
            // Perhaps YAML's flow style: its parser says what is wrong, and where.
            return null;
        }
    }

    private static IEnumerable<Manifest> Unfold(Manifest manifest, int depth)
    {
        if (manifest.Error is not null)
        {
            return [manifest];
        }

        if (manifest.Content!["items"] is JsonArray items && (manifest.Content["metadata"] as JsonObject)?["name"] is null
            && Text(manifest.Content["kind"]) is { } kind && kind.EndsWith("List", StringComparison.Ordinal) && depth < MaxListDepth)
        {
            return items.SelectMany(item => Unfold(
                item is JsonObject ? manifest with { Content = item.DeepClone().AsObject() } : manifest with { Content = null, Error = "an item of the list is no object" },
                depth + 1));
        }

        return [Problem(manifest.Content) is { } problem ? manifest with { Content = null, Error = problem } : manifest];
    }

    /// <summary>What keeps a map from being an object at all; the rest is the server's to check.</summary>
    private static string? Problem(JsonObject content) =>
        Text(content["apiVersion"]) is null ? "apiVersion is missing, such as \"apiVersion: orchestrator.dev/v1\""
        : Text(content["kind"]) is null ? "kind is missing, such as \"kind: WebApp\""
        : content["metadata"] is not JsonObject metadata ? "metadata is missing; it has the object's name"
        : Text(metadata["generateName"]) is not null && metadata["name"] is null ? "metadata.generateName does not go with apply: give metadata.name"
        : Text(metadata["name"]) is null ? "metadata.name is missing"
        : ResourceKind.IsNoName(Text(metadata["name"])!) ? $"\"{Text(metadata["name"])}\" is no name"
        : metadata["namespace"] is not null && Text(metadata["namespace"]) is null ? "metadata.namespace must be text"
        : Text(metadata["namespace"]) is { } space && ResourceKind.IsNoName(space) ? $"\"{space}\" is no name"
        : metadata["annotations"] is not (null or JsonObject) ? "metadata.annotations must be a map"
        : TooLarge(content) is { } number ? $"{number} is too large for a number"
        : null;

    /// <returns>The first number that no floating-point number of 64 bits can hold; JSON itself sets no limit.</returns>
    private static string? TooLarge(JsonNode? node) => node switch
    {
        JsonObject map => map.Select(member => TooLarge(member.Value)).FirstOrDefault(found => found is not null),
        JsonArray list => list.Select(TooLarge).FirstOrDefault(found => found is not null),
        JsonValue value when value.GetValueKind() == JsonValueKind.Number && value.ToJsonString() is var literal
            && !double.IsFinite(double.Parse(literal, CultureInfo.InvariantCulture)) => literal,
        _ => null,
    };

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
}
