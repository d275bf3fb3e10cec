using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Connection;

/// <summary>A kind the server serves, as its discovery describes it.</summary>
internal sealed record ResourceKind(
    string Group,
    string Version,
    string Kind,
    string Plural,
    string Singular,
    bool Namespaced,
    IReadOnlyList<string> ShortNames,
    IReadOnlyList<string> Categories,
    IReadOnlyList<string> Verbs)
{
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>How kubectl names the type of an object: <c>webapp.orchestrator.dev</c>, <c>secret</c>.</summary>
    public string Label => Group.Length == 0 ? Kind.ToLowerInvariant() : $"{Kind.ToLowerInvariant()}.{Group}";

    /// <param name="namespace">Null means all; not used for cluster-wide kinds.</param>
    /// <param name="name">Null means the collection.</param>
    /// <exception cref="CommandException">The namespace or name is none.</exception>
    public string Path(string? @namespace, string? name, string? subresource = null)
    {
        var root = Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";
        return root
            + (Namespaced && @namespace is not null ? $"/namespaces/{Segment(@namespace)}" : "")
            + "/" + Plural
            + (name is null ? "" : "/" + Segment(name))
            + (subresource is null ? "" : "/" + subresource);
    }

    /// <summary>Whether a name or namespace would be lost from a path, which would then be that of all objects, or of something else.</summary>
    public static bool IsNoName(string name) => name is "" or "." or "..";

    /// <exception cref="CommandException">It is no name.</exception>
    public static string RequireName(string name) => IsNoName(name) ? throw CommandException.Usage($"\"{name}\" is no name") : name;

    public bool Answers(string type)
    {
        var (name, group) = type.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot ? (type[..dot], type[(dot + 1)..]) : (type, null);
        return (group is null || group == Group || group == $"{Version}.{Group}")
            && (name == Plural || name == Singular || name.Equals(Kind, StringComparison.OrdinalIgnoreCase) || ShortNames.Contains(name));
    }

    /// <param name="resource">An entry of an APIResourceList.</param>
    /// <param name="groupVersion">The list's <c>groupVersion</c>.</param>
    public static ResourceKind Parse(JsonObject resource, string groupVersion)
    {
        var slash = groupVersion.IndexOf('/', StringComparison.Ordinal);
        var kind = (string?)resource["kind"] ?? "";
        return new(
            slash < 0 ? "" : groupVersion[..slash],
            groupVersion[(slash + 1)..],
            kind,
            (string?)resource["name"] ?? "",
            (string?)resource["singularName"] is { Length: > 0 } singular ? singular : kind.ToLowerInvariant(),
            (bool?)resource["namespaced"] ?? false,
            Strings(resource["shortNames"]),
            Strings(resource["categories"]),
            Strings(resource["verbs"]));
    }

    private static string Segment(string name) => Uri.EscapeDataString(RequireName(name));

    private static string[] Strings(JsonNode? list) => list is JsonArray items ? [.. items.Select(item => (string?)item ?? "")] : [];
}
